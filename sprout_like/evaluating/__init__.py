"""Off line: which prompts are judged, when, and what comes of it. Start reading at `run.py`."""
