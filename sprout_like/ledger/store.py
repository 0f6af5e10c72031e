"""What a database is to the ledger, and the one way rows are written to any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Insert, delete, false, func, insert, literal, select
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.errors import RowRefused
from sprout_like.ledger.request_rows import RequestWriter
from sprout_like.ledger.rows import Record
from sprout_like.ledger.schema import PromptRow, StoredRequestRow
from sprout_like.record import RequestRecord

__all__ = ["PROBE", "Store", "forget_expired", "insert_records", "send_batch"]

K = TypeVar("K")

PROBE: Final = insert(StoredRequestRow).from_select(["request_id"], select(literal("")).where(false()))
"""Inserts nothing: a file or a table that may only be read says so at the start, and not with the first row."""


class Store(Protocol):
    """Takes rows, all or none, any number of times. Used by one thread at a time, `tidy` excepted."""

    @property
    def name(self) -> str:
        """The database, without secrets."""
        ...

    @property
    def local(self) -> bool:
        """True where a write waits for no network, so that it may be made on the request path."""
        ...

    def prepare(self) -> None:
        """Make it ready for `insert`: folder, schema. Called before the first insert and after every outage.

        Raises:
            LedgerUnreachable: it may work later.
            LedgerVersionError: its schema is newer than this release.
            SettingError: somebody has to change something first.
        """
        ...

    def insert(self, records: Sequence[Record]) -> None:
        """Write all rows in one transaction; those that are there already stay as they are.

        Raises:
            LedgerUnreachable: it may work later; none was written, or all were.
            RowRefused: one of the rows can never be written; none was.
        """
        ...

    def tidy(self) -> None:
        """House-keeping that would otherwise fall into an `insert`; called now and then from the background."""
        ...

    def close(self) -> None:
        """Release connections; a later `prepare` opens new ones."""
        ...


def insert_records(
    connection: Connection, statements: Mapping[type[Record], Insert], records: Sequence[Record], writer: RequestWriter
) -> None:
    """Write the requests, and execute one statement per other table, in the order of `statements`.

    The order is the same for everyone: two processes that send the same rows wait for, and never deadlock, each other.
    """
    writer.write(connection, (record for record in records if isinstance(record, RequestRecord)))
    for kind, statement in statements.items():
        rows = [record.as_dict() for record in records if type(record) is kind]
        if rows:
            connection.execute(statement, rows)


def forget_expired(engine: Engine) -> None:
    """Delete kept prompts whose time is up, by the database's own clock: also where nobody samples any more."""
    expired = delete(PromptRow).where(PromptRow.expires_utc <= func.current_timestamp())
    with suppress(SQLAlchemyError), engine.begin() as connection:  # who may not delete can write rows all the same
        connection.execute(expired)


def send_batch(records: Mapping[K, Record], send: Callable[[Sequence[Record]], None]) -> dict[K, str]:
    """Send the records in order; returns what is wrong with those that were refused.

    Raises:
        SproutError: whatever `send` raises, `RowRefused` excepted.
    """
    refused: dict[K, str] = {}
    try:
        send(list(records.values()))
    except RowRefused:
        # One bad row must not hold up those behind it: find it.
        for key, record in records.items():
            try:
                send([record])
            except RowRefused as exc:
                refused[key] = str(exc)
    return refused
