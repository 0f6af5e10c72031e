"""Tables of which no figure is ever cut, however narrow the terminal."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

__all__ = ["Whole"]

# What stands beside a column's cells, and around the table, with the box and the padding our tables have.
_BESIDE = 2
_AROUND = 1
_FOLDED = 5


class Whole:
    """A table; where it does not fit, a block of lines for each row: what the column is called, and the cell.

    Args:
        table: its cells are text. A column that folds may become narrow. Empty cells have no line.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, for rich."""
        table = self._table
        if _AROUND + sum(_least(column) + _BESIDE for column in table.columns) <= options.max_width:
            yield table
            return
        names = [str(column.header) for column in table.columns]
        indent = max(map(cell_len, names)) + 2
        for row in zip(*(column.cells for column in table.columns), strict=True):
            yield Text()
            for name, cell in zip(names, row, strict=True):
                if str(cell):
                    yield Text(f"{name:<{indent}}{cell}")


def _least(column: Column) -> int:
    if column.overflow == "fold":
        return _FOLDED
    return max(cell_len(str(each)) for each in (column.header, *column.cells))
