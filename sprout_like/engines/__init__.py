"""Who runs the tokens."""
