"""Tables of which no figure is ever cut, however narrow the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

__all__ = ["Whole"]

# What stands beside a column's cells, and around the table, with the box and the padding our tables have.
_BESIDE = 2
_AROUND = 1
_LONGEST_WORD = 14
_FOLDED = 7


class Whole:
    """A table; where it does not fit, a block of lines for each row: what the column is called, and the cell.

    Args:
        table: its cells are text. A column that folds may become as narrow as its longest word; words of more than 14
            characters, as names of models are, may be broken. Empty cells have no line.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, for rich."""
        table = self._table
        spare = options.max_width - _AROUND - sum(_least(column) + _BESIDE for column in table.columns)
        if spare >= 0:
            _widen((column for column in table.columns if column.overflow == "fold"), spare)
            yield table
            return
        names = [str(column.header) for column in table.columns]
        indent = max(map(cell_len, names)) + 2
        for row in zip(*(column.cells for column in table.columns), strict=True):
            yield Text()
            for name, cell in zip(names, row, strict=True):
                if str(cell):
                    yield Text(f"{name:<{indent}}{cell}")


def _widen(columns: Iterable[Column], spare: int) -> None:
    """Share the characters that are left of a line out among columns that fold; rich by itself would break words."""
    narrow_first = sorted(columns, key=lambda column: _widest(column) - _least(column))
    for place, column in enumerate(narrow_first):
        more = min(_widest(column) - _least(column), spare // (len(narrow_first) - place))
        column.width = _least(column) + more
        spare -= more


def _least(column: Column) -> int:
    if column.overflow != "fold":
        return _widest(column)
    words = (cell_len(word) for text in _texts(column) for word in text.split())
    return max((word if word <= _LONGEST_WORD else _FOLDED for word in words), default=1)


def _widest(column: Column) -> int:
    return max(map(cell_len, _texts(column)))


def _texts(column: Column) -> Iterator[str]:
    return map(str, (column.header, *column.cells))
