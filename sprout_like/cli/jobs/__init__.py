"""`sprout-like jobs …`: each command in `commands.py` or a file of its own, and the screens they print."""
