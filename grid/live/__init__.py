"""What stands between sources and a request: the latest in memory, a chain of sources, a cache on disk."""
