"""A one-row insert, compiled once: it is on every request's path, and costs more to compile than SQLite to write."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect, Insert, Table

from sprout_like.errors import RowRefused
from sprout_like.ledger.rows import Record

__all__ = ["PreparedInsert"]


class PreparedInsert:
    """An insert of all columns of one table.

    Args:
        statement: the insert. table: its table. dialect: of the engine that will run it, with positional parameters.
    """

    def __init__(self, statement: Insert, table: Table, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        names = tuple(compiled.positiontup or ())
        processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
        self._values = attrgetter(*names)
        self._processors = [(index, process) for index, process in enumerate(processors) if process is not None]

    def parameters(self, record: Record) -> tuple[Any, ...]:
        """The row's values as the driver takes them.

        Raises:
            RowRefused: a value does not fit its column.
        """
        values = list(self._values(record))
        try:
            for index, process in self._processors:
                values[index] = process(values[index])
        except (TypeError, ValueError, AttributeError, RecursionError) as exc:
            raise RowRefused(str(exc)) from exc
        return tuple(values)
