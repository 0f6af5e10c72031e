"""The queue's transactions, and what their faults are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Select, String, column, select, table
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.errors import JobError, LedgerUnreachable, LedgerVersionError, RowRefused
from sprout_like.ledger.address import public_name
from sprout_like.ledger.faults import as_write_error
from sprout_like.ledger.migrate import HEAD, VERSION_TABLE
from sprout_like.ledger.sqlite_file import file_id

__all__ = ["Database"]

_WAIT_S: Final = 30
"""How long a write waits for another process's on SQLite: a job of 100,000 prompts takes seconds to write."""

_VERSION: Final[Select[str]] = select(column("version_num", String)).select_from(table(VERSION_TABLE))


class Database:
    """Opens transactions on the ledger's database, from any thread.

    Both kinds raise `LedgerUnreachable` where the database does not answer (nothing was written, unless the answer to
    the commit itself was lost), and `JobError` where it can never hold a value.

    Args:
        engine: from `build_engine` or `open_engine`; the ledger's schema is there.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._path = Path(str(engine.url.database))
        self._file = file_id(self._path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; on SQLite each statement sees what is there when it runs."""
        with self.told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed at the end and rolled back by any error.

        Raises:
            LedgerVersionError: another release has changed the tables since they were opened; nothing was written.
        """
        with self.told(), self.engine.connect() as connection:
            if self._sqlite:
                if file_id(self._path) != self._file:
                    raise LedgerUnreachable(f"{self._name}: the file was deleted or replaced")
                # A transaction that begins by reading cannot wait once it wants to write: SQLite refuses it at once.
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAIT_S * 1000}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            version = connection.scalar(_VERSION)
            if version != HEAD:
                raise LedgerVersionError(
                    f"ledger: {self._name} has schema {version}, and this process knows {HEAD}. Another release of "
                    "sprout-like changed it: stop this process, pip install --upgrade sprout-like, and start it again"
                )
            yield connection
            connection.commit()

    @property
    def _name(self) -> str:
        return public_name(self.engine.url)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Calls the errors of the database and its driver by our names."""
        try:
            yield
        except (SQLAlchemyError, OSError) as exc:
            fault = as_write_error(exc, self.engine.url)
            if isinstance(fault, RowRefused):
                raise JobError(f"jobs: {self._name} cannot hold a value ({fault}). Correct it and try again") from exc
            raise fault from exc
