"""The rows of a CSV file, plain or compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import IO

from grid.errors import BadData, SourceSpecError
from grid.sources.trace_rows import TraceRow, TraceTable

__all__ = ["csv_table"]


def csv_table(path: Path) -> TraceTable:
    """Read a file with one header row; empty rows and rows that begin with `#` are skipped, empty cells are None.

    Raises:
        SourceSpecError: the file cannot be read, or is no CSV file in UTF-8.
        BadData: a row has more or fewer cells than the header.
    """
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, cells) for cells in reader if cells and not cells[0].startswith("#")]
    except OSError as exc:
        raise SourceSpecError(f"cannot read trace {path}: {exc.strerror or exc}; check the path") from exc
    except (EOFError, zlib.error) as exc:
        raise SourceSpecError(f"cannot read trace {path}: its compression is broken ({exc})") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise SourceSpecError(f"trace {path} is not a CSV file in UTF-8: {exc}") from exc
    header = [name.strip() for name in lines[0][1]] if lines else []
    rows = []
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            raise BadData(f"{path}, line {line}: {len(cells)} cells, and the header has {len(header)}")
        values = (cell.strip() or None for cell in cells)
        rows.append(TraceRow(f"{path}, line {line}", dict(zip(header, values, strict=True))))
    return TraceTable(header, rows)


def _opened(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
