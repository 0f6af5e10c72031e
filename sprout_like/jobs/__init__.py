"""Jobs that can wait: a durable queue in the ledger, a planner of low-carbon windows, and workers that run them.

Start reading at `job.py`, then `queue/`, `planning/`, `working/`. `engines/` is who runs the tokens of a batch.
"""
