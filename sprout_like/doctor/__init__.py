"""What is in use, what is missing, and the one command that fixes it."""
