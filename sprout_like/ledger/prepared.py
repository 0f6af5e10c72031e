"""A one-row insert, compiled once: it is on every request's path, and costs more to compile than SQLite to write."""

from __future__ import annotations

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
        self._columns = [
            (name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]

    def parameters(self, record: Record) -> tuple[Any, ...]:
        """The row's values as the driver takes them.

        Raises:
            RowRefused: a value does not fit its column.
        """
        try:
            return tuple(
                [
                    value if process is None else process(value)
                    for value, process in [(getattr(record, name), process) for name, process in self._columns]
                ]
            )
        except (TypeError, ValueError, AttributeError, RecursionError) as exc:
            raise RowRefused(str(exc)) from exc
