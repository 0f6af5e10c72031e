"""The contextual policy of a running middleware: what it starts from, how it keeps up, when it stops itself."""
