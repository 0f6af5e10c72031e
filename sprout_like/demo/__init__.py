"""The demonstration: a real model answers real prompts over one day of grid intensity."""
