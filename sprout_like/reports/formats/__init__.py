"""A report written down: text, Markdown, JSON, CSV, Parquet; HTML is in `reports/html`."""
