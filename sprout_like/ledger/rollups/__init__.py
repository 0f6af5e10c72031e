"""Sums of requests per hour and group: made once, exact always, read by every report. Start reading at `facts.py`."""
