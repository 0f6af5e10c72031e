"""The rows of a Parquet file; pyarrow is loaded when one is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grid.errors import SourceSpecError
from grid.sources.trace_rows import TraceRow, TraceTable

__all__ = ["parquet_table"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parquet_table(path: Path, columns: Collection[str]) -> TraceTable:
    """Read the named columns, as far as there are any.

    Time stamps become UTC: those without a zone are taken as UTC, as in a CSV file.

    Raises:
        SourceSpecError: pyarrow is not installed, or the file cannot be read.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise SourceSpecError(
            f"trace {path} is a Parquet file, and pyarrow is not installed: pip install 'sprout-like[parquet]'"
        ) from exc
    try:
        with path.open("rb") as raw, pq.ParquetFile(raw) as file:
            header = list(file.schema_arrow.names)
            table = file.read([name for name in header if name in columns])
            cells = {name: _values(table.column(name), pa) for name in table.column_names}
    except (OSError, OverflowError, ValueError, pa.ArrowException) as exc:
        said = getattr(exc, "strerror", None) or str(exc).partition("\n")[0]
        raise SourceSpecError(f"cannot read trace {path} as a Parquet file: {said}") from exc
    names = list(cells)
    by_row = zip(*cells.values(), strict=True)
    rows = [TraceRow(f"{path}, row {n}", dict(zip(names, row, strict=True))) for n, row in enumerate(by_row, start=1)]
    return TraceTable(header, rows)


def _values(column: Any, pa: Any) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    # Whole microseconds since 1970 are UTC whatever the column's zone is; finer ones are refused by the cast.
    micros = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).to_pylist()
    return [None if value is None else _EPOCH + timedelta(microseconds=value) for value in micros]
