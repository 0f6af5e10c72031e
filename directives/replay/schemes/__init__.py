"""Who serves the requests of a replay."""
