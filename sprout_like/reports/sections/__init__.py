"""The sections of a report, each read and worked out in a file of its own."""
