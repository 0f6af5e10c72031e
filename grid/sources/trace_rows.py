"""Rows of a trace file, whatever the format it is kept in."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grid.errors import BadData

__all__ = ["TraceRow", "TraceTable"]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One row.

    Attributes:
        where: file and line or row, for messages.
        cells: by column; None where a cell is empty, else text, or the type that the file has for the column.
    """

    where: str
    cells: Mapping[str, object]

    def bad(self, column: str, expected: str) -> BadData:
        """The error that a cell is not what it should be."""
        return BadData(f"{self.where}: {column} is {reprlib.repr(self.cells[column])}, not {expected}")


@dataclass(frozen=True, slots=True)
class TraceTable:
    """All rows.

    Attributes:
        header: the names of the columns.
        rows: in the order of the file.
    """

    header: Sequence[str]
    rows: Sequence[TraceRow]
