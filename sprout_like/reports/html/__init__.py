"""The report as a page: one file that opens anywhere, without a network."""
