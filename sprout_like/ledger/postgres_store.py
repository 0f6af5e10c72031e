"""The team's database: a server, written from the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine, Insert
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.ledger.address import public_name
from sprout_like.ledger.faults import DRIVER_ERRORS, as_startup_error, as_write_error
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.request_rows import RequestWriter
from sprout_like.ledger.rows import Record
from sprout_like.ledger.schema import AccountRow, IntensityRow
from sprout_like.ledger.store import PROBE, forget_expired, insert_records
from sprout_like.record import AccountRecord, IntensityRecord

__all__ = ["PostgresStore"]

_INSERTS: Final[dict[type[Record], Insert]] = {
    AccountRecord: insert(AccountRow).on_conflict_do_nothing(),
    IntensityRecord: insert(IntensityRow).on_conflict_do_nothing(),
}


class PostgresStore:
    """A PostgreSQL database as a `Store`.

    Args:
        engine: from `build_engine`.
    """

    local = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = RequestWriter()

    @property
    def name(self) -> str:
        """Host, port and database."""
        return public_name(self._engine.url)

    def prepare(self) -> None:
        """Create or upgrade the tables."""
        try:
            ensure_schema(self._engine)
            with self._engine.begin() as connection:
                connection.execute(PROBE)
            forget_expired(self._engine)
        except SQLAlchemyError as exc:
            raise as_startup_error(exc, self._engine.url) from exc

    def insert(self, records: Sequence[Record]) -> None:
        """Write the rows in one transaction."""
        try:
            with self._engine.begin() as connection:
                insert_records(connection, _INSERTS, records, self._writer)
        except DRIVER_ERRORS as exc:
            self._writer.forget()
            raise as_write_error(exc, self._engine.url) from exc

    def tidy(self) -> None:
        """Nothing: the server looks after itself."""

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
