"""From what a user asks for to a job in the queue; the same for the command and for `CarbonAware.submit`.

Start reading at `submission.py`, which is pure; `submit.py` asks the queue and writes to it.
"""
