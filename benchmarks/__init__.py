"""Measurements behind every performance claim. `make bench` runs them all and writes `benchmarks/results/*.json`."""
