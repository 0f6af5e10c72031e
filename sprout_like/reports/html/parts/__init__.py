"""The sections of the page, each from a part of the report to texts, tables and plots."""
