"""A local web page on a ledger, live and read-only: the data, the server in front of it, and the page itself."""
