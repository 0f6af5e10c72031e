"""The ledger's database, opened so that nothing can be written, and opened again after it went away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, Select, String, column, create_engine, event, select, table
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.errors import LedgerError, LedgerUnreachable, LedgerVersionError, SettingError
from sprout_like.ledger.address import public_name
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error, first_line
from sprout_like.ledger.migrate import HEAD, VERSION_TABLE, schema_version
from sprout_like.ledger.open import refuse_others
from sprout_like.ledger.sqlite_file import FileId, file_id

__all__ = ["NotThereYet", "ReadOnlyDatabase"]

_BUSY_TIMEOUT_S: Final = 1.0

_STATEMENTS_PER_LOOK: Final = 20_000
"""SQLite's virtual machine asks after so many instructions, a few ms, whether it is to stop."""

_VERSION: Final[Select[str]] = select(column("version_num", String)).select_from(table(VERSION_TABLE))


class NotThereYet(LedgerError):
    """There is no ledger so far; the first request makes it."""


class ReadOnlyDatabase:
    """Hands out connections on which nothing can be written, from any thread.

    Args:
        url: a database, from `ledger_address`; touched by nobody before the first question.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = public_name(url)
        self._path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._file: FileId | None = None
        self._generation = 0
        self._closing = threading.Event()

    def first_look(self) -> str | None:
        """What keeps the ledger from being read so far, where that may pass by itself; None where nothing does.

        Raises:
            SettingError: it is none: a folder, a file of something else, a server that does not let this user in.
            LedgerVersionError: its tables are of another release.
        """
        try:
            with self._opened().connect() as connection:
                refuse_others(connection, self.url)
                self._check_version(connection)
        except NotThereYet as exc:
            return str(exc)
        except SQLAlchemyError as exc:
            fault = as_startup_error(exc, self.url)
            if isinstance(fault, SettingError):
                raise fault from exc
            return f"ledger: {fault}"
        return None

    @contextmanager
    def reading(self) -> Iterator[Engine]:
        """The database as it is now.

        Raises:
            NotThereYet: there is no file, or it holds no tables so far.
            LedgerVersionError: its tables are of another release.
            LedgerUnreachable: it does not answer.
        """
        try:
            engine = self._opened()
            with engine.connect() as connection:
                self._check_version(connection)
            yield engine
        except SQLAlchemyError as exc:
            raise LedgerUnreachable(f"ledger: {self.name}: {first_line(exc)}") from exc

    @property
    def generation(self) -> int:
        """Another number for each file that was found there, and 0 before the first."""
        return self._generation

    def interrupt(self) -> None:
        """Stop what is being read, for good; may be called by a signal handler."""
        self._closing.set()

    def close(self) -> None:
        """Stop what is being read and release connections; safe to call twice."""
        self.interrupt()
        with self._lock:
            self._forget()

    def _opened(self) -> Engine:
        with self._lock:
            if self._closing.is_set():
                raise LedgerUnreachable(f"ledger: {self.name}: closed")
            # A file that was deleted or replaced would be read on as it was for as long as it is open.
            found = None if self._path is None else file_id(self._path)
            if self._path is not None and found is None:
                self._forget()
                raise NotThereYet(f"ledger: there is none at {self._path} yet. The first request makes it")
            if self._engine is None or found != self._file:
                self._forget()
                self._engine, self._file = self._built(), found
                self._generation += 1
            return self._engine

    def _forget(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    def _built(self) -> Engine:
        if self._path is None:
            return build_engine(self.url).execution_options(postgresql_readonly=True)
        # https://www.sqlite.org/uri.html: no statement can write to a file that was opened so.
        address = URL.create("sqlite", database=self._path.as_uri(), query={"mode": "ro", "uri": "true"})
        engine = create_engine(address, connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True)
        event.listen(engine, "connect", self._stop_when_closing)
        return engine

    def _stop_when_closing(self, connection: object, _record: object) -> None:
        connection.set_progress_handler(self._closing.is_set, _STATEMENTS_PER_LOOK)  # type: ignore[attr-defined]

    def _check_version(self, connection: Connection) -> None:
        try:
            version = connection.scalar(_VERSION)
        except SQLAlchemyError:
            connection.rollback()
            version = schema_version(connection)
        if version is None:
            raise NotThereYet(f"ledger: {self.name} holds no tables yet. The first request makes them")
        if version > HEAD:
            raise LedgerVersionError(
                f"ledger: {self.name} has schema {version}, which this release does not know (its newest is {HEAD}). "
                "A newer sprout-like wrote it: pip install --upgrade sprout-like"
            )
        if version != HEAD:
            raise LedgerVersionError(
                f"ledger: {self.name} has schema {version}, this release's is {HEAD}. "
                "`sprout-like report` or the next request brings it up to date"
            )
