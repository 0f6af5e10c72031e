"""What need not be computed again: answers that were given before, and the beginnings that prompts share."""
