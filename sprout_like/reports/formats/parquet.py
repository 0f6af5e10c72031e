"""Parquet of the lines; pyarrow is imported here alone."""

from __future__ import annotations

from typing import Any

from sprout_like.errors import ReportError
from sprout_like.reports.formats.flat import FIGURES, Value, columns, rows
from sprout_like.reports.report import Report

__all__ = ["as_parquet"]


def as_parquet(report: Report) -> bytes:
    """The lines, one a row, as typed columns; unknown as null.

    Raises:
        ReportError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as exc:
        raise ReportError(
            f"--format: parquet needs pyarrow, which cannot be imported ({exc}). "
            'pip install "sprout-like[parquet]", or choose csv'
        ) from exc
    types: dict[type, Any] = {int: pyarrow.int64(), float: pyarrow.float64()}
    names = columns(report)
    schema = pyarrow.schema([(name, types[FIGURES[name]] if name in FIGURES else pyarrow.string()) for name in names])
    made = ([_whole(value) for value in row] for row in rows(report))
    by_column = list(zip(*made, strict=True)) or [()] * len(names)
    arrays = [pyarrow.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), sink)
    return bytes(sink.getvalue())


def _whole(value: Value) -> Value:
    """A text without halves of surrogate pairs, which UTF-8 does not have."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
