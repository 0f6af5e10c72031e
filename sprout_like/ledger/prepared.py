"""A one-row insert, compiled once: it is on every request's path, and costs more to compile than SQLite to write."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Final

from sqlalchemy import Dialect, Insert, Table, bindparam, exists, select
from sqlalchemy.dialects.sqlite import insert

from sprout_like.errors import RowRefused
from sprout_like.ledger.columns import Base
from sprout_like.ledger.packing import ROW, Packed, Part
from sprout_like.ledger.request_rows import UNFIT
from sprout_like.ledger.rows import Record
from sprout_like.ledger.schema_requests import ContextRow, PeriodRow, StoredRequestRow

__all__ = ["PreparedInsert", "PreparedPart", "PreparedRequest"]


class _Prepared:
    def __init__(self, statement: Insert, table: Table, dialect: Dialect, getter: Callable[..., Any]) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        names = tuple(compiled.positiontup or ())
        processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
        self._values = getter(*names)
        self._processors = [(index, process) for index, process in enumerate(processors) if process is not None]

    def _bound(self, row: object) -> tuple[Any, ...]:
        values = list(self._values(row))
        try:
            for index, process in self._processors:
                values[index] = process(values[index])
        except UNFIT as exc:
            raise RowRefused(str(exc)) from exc
        return tuple(values)


class PreparedInsert(_Prepared):
    """An insert of all columns of one table.

    Args:
        statement: the insert. table: its table. dialect: of the engine that will run it, with positional parameters.
    """

    def __init__(self, statement: Insert, table: Table, dialect: Dialect) -> None:
        super().__init__(statement, table, dialect, attrgetter)

    def parameters(self, record: Record) -> tuple[Any, ...]:
        """The row's values as the driver takes them.

        Raises:
            RowRefused: a value does not fit its column.
        """
        return self._bound(record)


class PreparedPart(_Prepared):
    """An insert of a part of a request into its table, where it is not there.

    Args:
        row: the table's class. dialect: of the engine that will run it, with positional parameters.
    """

    def __init__(self, row: type[Base], dialect: Dialect) -> None:
        self.table = Base.metadata.tables[row.__tablename__]
        (self._key,) = self.table.primary_key.columns.keys()
        super().__init__(insert(self.table).on_conflict_do_nothing(), self.table, dialect, itemgetter)

    def parameters(self, part: Part) -> tuple[Any, ...]:
        """The row's values as the driver takes them.

        Raises:
            RowRefused: a value does not fit its column.
        """
        return self._bound(part.row(self._key))


class PreparedRequest(_Prepared):
    """An insert of a request whose context and period are there; where one is not, it inserts nothing.

    Args:
        dialect: of the engine that will run it, with positional parameters.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(_REQUEST, _ROWS, dialect, lambda *names: itemgetter(*(ROW.index(name) for name in names)))

    def parameters(self, packed: Packed) -> tuple[Any, ...]:
        """The row's values as the driver takes them.

        Raises:
            RowRefused: a value does not fit its column.
        """
        return self._bound(packed.values)


_ROWS: Final = Base.metadata.tables[StoredRequestRow.__tablename__]
_BINDS: Final = {column.name: bindparam(column.name, type_=column.type) for column in _ROWS.columns}
_REQUEST: Final = (
    insert(_ROWS)
    .from_select(
        list(_BINDS),
        select(*_BINDS.values()).where(
            exists().where(ContextRow.context_id == _BINDS["context_id"]),
            exists().where(PeriodRow.period_id == _BINDS["period_id"]),
        ),
    )
    .on_conflict_do_nothing()
)
