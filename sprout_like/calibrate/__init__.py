"""Measures what each directive costs and is worth, per workload bin, on this machine and model."""
