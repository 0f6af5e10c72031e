"""Writes requests: what repeats first, each once, and then their own rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sprout_like.errors import RowRefused
from sprout_like.ledger.columns import Base
from sprout_like.ledger.packing import ROW, Packed, Packer, Part, known
from sprout_like.ledger.schema_requests import ContextRow, PeriodRow, SettlementRow, StoredRequestRow
from sprout_like.record import RequestRecord

__all__ = ["UNFIT", "RequestWriter", "compare_part", "insert_requests"]

UNFIT: Final = (TypeError, ValueError, AttributeError, RecursionError)
"""What a value raises that no column can hold."""

_ROWS, _CONTEXTS, _PERIODS, _SETTLEMENTS = (
    Base.metadata.tables[row.__tablename__] for row in (StoredRequestRow, ContextRow, PeriodRow, SettlementRow)
)

_PAGE: Final = 500
_MOST_COMPARED: Final = 8192
"""Parts remembered; after that, they are compared again."""


class RequestWriter:
    """Writes requests of one process into one database. What it remembers saves time alone."""

    def __init__(self) -> None:
        self._packer = Packer()
        self._compared: dict[int, Part] = {}

    def forget(self) -> None:
        """What was written may not be there: a transaction was rolled back, or the database is another one."""
        self._compared.clear()

    def packed(self, record: RequestRecord) -> Packed:
        """The request taken apart.

        Raises:
            RowRefused: it can never be written.
        """
        try:
            return self._packer.packed(record)
        except UNFIT as exc:
            raise RowRefused(str(exc)) from exc

    def write(self, connection: Connection, records: Iterable[RequestRecord]) -> None:
        """Write the requests; those that are there already stay as they are.

        The order of tables and keys is the same for everyone: processes that write the same parts never deadlock.

        Args:
            connection: in a transaction.
            records: the requests.

        Raises:
            RowRefused: one of them can never be written.
            sqlalchemy.exc.SQLAlchemyError: the database's own errors.
        """
        requests = [self.packed(record) for record in records]
        if not requests:
            return
        self.write_parts(connection, requests)
        rows = [dict(zip(ROW, known(request.values), strict=True)) for request in requests]
        connection.execute(_insert(connection)(_ROWS).on_conflict_do_nothing(), rows)

    def write_parts(self, connection: Connection, requests: Sequence[Packed]) -> None:
        """Likewise, without their own rows."""
        self._insert_parts(connection, _CONTEXTS, (request.context for request in requests))
        self._insert_parts(connection, _PERIODS, (request.period for request in requests))
        self._insert_parts(connection, _SETTLEMENTS, (request.settlement for request in requests if request.settlement))

    def settle(self, connection: Connection, settled: Sequence[Mapping[str, Any]]) -> None:
        """Write by what requests were settled, beside them.

        Args:
            connection: in a transaction.
            settled: `request_id` and every column of a request whose name begins with `settled_`.
        """
        parts = [self._packer.settlement(values) for values in settled]
        self._insert_parts(connection, _SETTLEMENTS, parts)
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

    def _insert_parts(self, connection: Connection, table: Table, parts: Iterable[Part]) -> None:
        """Insert those that are not there; what is there is compared, once."""
        wanted: dict[int, Part] = {}
        for part in parts:
            if (other := wanted.setdefault(part.key, part)) is not part:
                _compare(table, part, other.values)
        (key,) = table.primary_key
        rows = [part.row(key.name) for _, part in sorted(wanted.items())]
        for start in range(0, len(rows), _PAGE):
            page = rows[start : start + _PAGE]
            connection.execute(_insert(connection)(table).on_conflict_do_nothing(), page)
            new = [row[key.name] for row in page if self._compared.get(row[key.name]) is not wanted[row[key.name]]]
            if not new:
                continue
            for stored in connection.execute(select(table).where(key.in_(new))).mappings():
                _compare(table, wanted[stored[key.name]], dict(stored))
            if len(self._compared) >= _MOST_COMPARED:
                self._compared.clear()
            self._compared |= {number: wanted[number] for number in new}


def insert_requests(connection: Connection, records: Iterable[RequestRecord]) -> None:
    """Write the requests; see `RequestWriter.write`."""
    RequestWriter().write(connection, records)


def compare_part(connection: Connection, table: Table, part: Part) -> None:
    """See that what is stored under the key of a part, if anything, is that part.

    Raises:
        RowRefused: it is another.
    """
    (key,) = table.primary_key
    stored = connection.execute(select(table).where(key == part.key)).mappings().one_or_none()
    if stored is not None:
        _compare(table, part, dict(stored))


def _compare(table: Table, part: Part, stored: Mapping[str, Any]) -> None:
    if any(stored[name] != value for name, value in part.values.items()):
        raise RowRefused(f"{table.name}: what is stored under the key {part.key} is something else")


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
