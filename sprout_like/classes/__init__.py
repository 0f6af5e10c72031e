"""The kind of work of requests that come without a tag: learnt off line, inferred at every request."""
