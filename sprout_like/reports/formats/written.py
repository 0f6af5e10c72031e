"""A report in a format, as the bytes of a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal, get_args

from sprout_like.errors import ReportError
from sprout_like.reports.formats.comma import as_csv
from sprout_like.reports.machine import to_json
from sprout_like.reports.report import Report

__all__ = ["FORMATS", "Format", "as_json", "format_of", "written"]

Format = Literal["text", "html", "json", "csv", "parquet", "md"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_SUFFIXES: Final[dict[str, Format]] = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
    ".md": "md",
}


def format_of(file: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        ReportError: it asks for none.
    """
    suffix = file.suffix.lower()
    if suffix not in _SUFFIXES:
        *others, last = _SUFFIXES
        raise ReportError(
            f"--out: {file} tells no format. Let its name end in {', '.join(others)} or {last}, or give --format"
        )
    return _SUFFIXES[suffix]


def as_json(report: Report) -> str:
    """The whole report; stamps in ISO 8601, unknown as null."""
    return to_json(asdict(report))


def written(report: Report, output: Format) -> bytes:
    """The bytes: the same for the same report.

    Raises:
        ReportError: the format needs what is not installed.
    """
    match output:
        case "json":
            return f"{as_json(report)}\n".encode()
        case "csv":
            return as_csv(report).encode("utf-8", "replace")
        case "parquet":
            from sprout_like.reports.formats.parquet import as_parquet

            return as_parquet(report)
        case "html":
            from sprout_like.reports.html.page import page

            return page(report).encode("utf-8", "replace")
        case "md":
            from sprout_like.reports.document.document import document
            from sprout_like.reports.formats.markdown import as_markdown

            return as_markdown(document(report)).encode("utf-8", "replace")
        case "text":
            from sprout_like.reports.document.document import document
            from sprout_like.reports.formats.text import as_text

            return as_text(document(report)).encode("utf-8", "replace")
