"""Who runs the tokens of a batch. `engine.py` says what an engine is; each other file is one."""
