"""Writes requests: what repeats first, each once, and then their own rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sprout_like.errors import RowRefused
from sprout_like.ledger.columns import Base
from sprout_like.ledger.packing import Packed, Packer, Part
from sprout_like.ledger.schema_requests import ContextRow, PeriodRow, SettlementRow, StoredRequestRow
from sprout_like.record import RequestRecord

__all__ = ["UNFIT", "insert_packed", "insert_requests", "update_settled"]

UNFIT: Final = (TypeError, ValueError, AttributeError, RecursionError)
"""What a value raises that no column can hold."""

_ROWS, _CONTEXTS, _PERIODS, _SETTLEMENTS = (
    Base.metadata.tables[row.__tablename__] for row in (StoredRequestRow, ContextRow, PeriodRow, SettlementRow)
)

_PAGE: Final = 500


def insert_requests(connection: Connection, records: Iterable[RequestRecord], packer: Packer | None = None) -> None:
    """Write the requests; those that are there already stay as they are.

    Raises:
        RowRefused: one of them can never be written.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    packer = packer or Packer()
    try:
        packed = [packer.packed(record) for record in records]
    except UNFIT as exc:
        raise RowRefused(str(exc)) from exc
    insert_packed(connection, packed)


def insert_packed(connection: Connection, packed: Sequence[Packed]) -> None:
    """Likewise, of requests taken apart.

    The order of tables and keys is the same for everyone: processes that write the same parts never deadlock.
    """
    if not packed:
        return
    _insert_parts(connection, _CONTEXTS, (request.context for request in packed))
    _insert_parts(connection, _PERIODS, (request.period for request in packed))
    _insert_parts(connection, _SETTLEMENTS, (request.settlement for request in packed if request.settlement))
    connection.execute(_insert(connection)(_ROWS).on_conflict_do_nothing(), [request.values for request in packed])


def update_settled(connection: Connection, settled: Sequence[Mapping[str, Any]]) -> None:
    """Write by what requests were settled, beside them.

    Args:
        connection: in a transaction.
        settled: `request_id` and every column of a request whose name begins with `settled_`.
    """
    packer = Packer()
    parts = [packer.settlement(values) for values in settled]
    _insert_parts(connection, _SETTLEMENTS, parts)
    connection.execute(
        update(_ROWS).where(_ROWS.c.request_id == bindparam("row")),
        [
            {
                "row": values["request_id"],
                "settlement_id": part.key,
                "settled_operational_g": values["settled_operational_g"],
            }
            for values, part in zip(settled, parts, strict=True)
        ],
    )


def _insert_parts(connection: Connection, table: Table, parts: Iterable[Part]) -> None:
    """Insert those that are not there; all are compared with what is."""
    wanted: dict[int, Part] = {}
    for part in parts:
        if wanted.setdefault(part.key, part).values != part.values:
            raise _same_key(table, part)
    (key,) = table.primary_key
    rows = [{key.name: part.key, **part.values} for _, part in sorted(wanted.items())]
    for start in range(0, len(rows), _PAGE):
        page = rows[start : start + _PAGE]
        connection.execute(_insert(connection)(table).on_conflict_do_nothing(), page)
        for stored in connection.execute(select(table).where(key.in_([row[key.name] for row in page]))).mappings():
            part = wanted[stored[key]]
            if any(stored[name] != value for name, value in part.values.items()):
                raise _same_key(table, part)


def _same_key(table: Table, part: Part) -> RowRefused:
    return RowRefused(f"{table.name}: another row has the key {part.key} already")


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
