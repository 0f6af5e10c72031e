"""A report in words and tables, which the formats for people write down each in its own way."""
