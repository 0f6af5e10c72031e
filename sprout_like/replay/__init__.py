"""Replays: what a policy would have saved on recorded requests, a trace of the grid and a mix of work."""
