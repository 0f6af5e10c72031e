"""The embedded database: a file, written on the request path."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Insert
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.errors import LedgerUnreachable
from sprout_like.ledger.address import public_name
from sprout_like.ledger.faults import DRIVER_ERRORS, as_startup_error, as_write_error
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.packing import Part
from sprout_like.ledger.prepared import PreparedInsert, PreparedPart, PreparedRequest
from sprout_like.ledger.request_rows import RequestWriter, compare_part
from sprout_like.ledger.rows import Record
from sprout_like.ledger.schema import AccountRow, Base, ContextRow, IntensityRow, PeriodRow
from sprout_like.ledger.sqlite_file import FileId, file_id
from sprout_like.ledger.store import PROBE, forget_expired, insert_records
from sprout_like.record import AccountRecord, IntensityRecord, RequestRecord

__all__ = ["SqliteStore"]

_INSERTS: Final[dict[type[Record], Insert]] = {
    AccountRecord: insert(AccountRow).on_conflict_do_nothing(),
    IntensityRecord: insert(IntensityRow).on_conflict_do_nothing(),
}

_MOST_STORED: Final = 8192
"""Parts of requests remembered as seen in the database."""


class SqliteStore:
    """A SQLite file as a `Store`.

    Args:
        engine: from `build_engine`.
    """

    local = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._path = Path(str(engine.url.database))
        self._file: FileId | None = None
        # Held open and in autocommit: pool and transaction objects cost more than the write of one row itself.
        self._connection: Connection | None = None
        self._writer = RequestWriter()
        self._stored: dict[int, Part] = {}
        self._prepared_context = PreparedPart(ContextRow, engine.dialect)
        self._prepared_period = PreparedPart(PeriodRow, engine.dialect)
        self._prepared_request = PreparedRequest(engine.dialect)
        self._prepared = {
            AccountRecord: _prepared(AccountRow, AccountRecord, engine),
            IntensityRecord: _prepared(IntensityRow, IntensityRecord, engine),
        }
        self._untidy = False

    @property
    def name(self) -> str:
        """The file, as a URL."""
        return public_name(self._engine.url)

    def prepare(self) -> None:
        """Create the folder, the file and the tables where they are missing."""
        self.close()
        self._forget()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            ensure_schema(self._engine)
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection.execute(PROBE)
            forget_expired(self._engine)
        except (SQLAlchemyError, OSError) as exc:
            raise as_startup_error(exc, self._engine.url) from exc
        self._file = file_id(self._path)

    def insert(self, records: Sequence[Record]) -> None:
        """Write the rows in one transaction."""
        if self._connection is None or self._file is None:
            raise LedgerUnreachable(f"{self.name}: not open")
        if file_id(self._path) != self._file:
            raise LedgerUnreachable(f"{self.name}: the file was deleted or replaced")
        try:
            if len(records) == 1:
                self._insert_one(self._connection, records[0])
            else:
                with self._engine.begin() as connection:
                    insert_records(connection, _INSERTS, records, self._writer)
            self._untidy = True
        except DRIVER_ERRORS as exc:
            self._forget()
            raise as_write_error(exc, self._engine.url) from exc

    def _insert_one(self, connection: Connection, record: Record) -> None:
        if isinstance(record, RequestRecord):
            self._insert_request(connection, record)
        else:
            prepared = self._prepared[type(record)]
            connection.exec_driver_sql(prepared.sql, prepared.parameters(record))

    def _insert_request(self, connection: Connection, record: RequestRecord) -> None:
        """The row in a statement that inserts nothing where a part of it is missing; before it, parts that are new."""
        packed = self._writer.packed(record)
        if packed.settlement is None:
            for _ in range(2):
                self._insert_new(connection, self._prepared_context, packed.context)
                self._insert_new(connection, self._prepared_period, packed.period)
                prepared = self._prepared_request
                if connection.exec_driver_sql(prepared.sql, prepared.parameters(packed)).rowcount == 1:
                    return
                # The row was there before, or somebody took a part away.
                self._stored.clear()
        else:
            with self._engine.begin() as transaction:
                self._writer.write(transaction, [record])

    def _insert_new(self, connection: Connection, prepared: PreparedPart, part: Part) -> None:
        """Insert a part, unless this process saw it in the database; one without a row does no harm."""
        if self._stored.get(part.key) is part:
            return
        if connection.exec_driver_sql(prepared.sql, prepared.parameters(part)).rowcount == 0:
            compare_part(connection, prepared.table, part)
        if len(self._stored) >= _MOST_STORED:
            self._stored.clear()
        self._stored[part.key] = part

    def tidy(self) -> None:
        """Move rows from the log to the file, which waits for the disk; otherwise every ~300th insert would."""
        if not self._untidy:
            return
        self._untidy = False
        with suppress(SQLAlchemyError), self._engine.connect() as connection:  # the next insert tells what is wrong
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget(self) -> None:
        self._stored.clear()
        self._writer.forget()

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()


def _prepared(row: type[Base], record: type[Record], engine: Engine) -> PreparedInsert:
    return PreparedInsert(_INSERTS[record], Base.metadata.tables[row.__tablename__], engine.dialect)
