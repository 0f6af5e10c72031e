"""CSV (RFC 4180) of the lines. No text of others becomes a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Final

from sprout_like.printable import printable
from sprout_like.reports.formats.flat import Value, columns, rows
from sprout_like.reports.report import Report

__all__ = ["as_csv", "harmless"]

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV injection"), its wide forms in East Asia too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def as_csv(report: Report) -> str:
    """The lines, one a row; unknown as an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([harmless(name) for name in columns(report)])
    writer.writerows([harmless(cell) for cell in row] for row in rows(report))
    return stream.getvalue()


def harmless(value: Value) -> Value:
    """A text with an apostrophe before it where a spreadsheet would take it for a formula; numbers stay numbers.

    Control characters are replaced as on a terminal: a carriage return alone begins a new row for many readers.
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
