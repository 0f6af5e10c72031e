"""Rows on their way to a database: a small local file, shared by all processes of the user on this machine.

A row leaves the spool only after the database has committed it, and the database ignores rows it already has: whatever
dies in between, each row arrives exactly once. Rows leave in the order in which they came.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from sprout_like.errors import RowRefused, SpoolUnusable
from sprout_like.ledger.rows import KINDS, Record, from_json, row_key, to_json
from sprout_like.ledger.sqlite_file import FileId, file_id, set_up
from sprout_like.ledger.store import send_batch

__all__ = ["Spool"]

_LOG = logging.getLogger(__name__)

_KIND_OF: Final = {record: kind for kind, record in KINDS.items()}

_BUSY_TIMEOUT_S: Final = 5.0

# AUTOINCREMENT: a number is never given twice. Without it, a drainer that deletes up to the last row it has sent could
# delete a newer row that was given the number of one that another drainer had deleted before.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spool (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS spool_target ON spool (target);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, target TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, problem TEXT NOT NULL);
"""


class Spool:
    """The rows of one database in the spool file. Thread-safe.

    Args:
        path: the file, on a local disk; its folder is created.
        target: name of the database, so that the rows of one never go to another.
    """

    def __init__(self, path: Path, target: str) -> None:
        self.path = path
        self._target = target
        self._drain_lock = path.with_name(f"{path.name}.{hashlib.sha256(target.encode()).hexdigest()[:12]}.lock")
        self._lock = Lock()
        self._writer: sqlite3.Connection | None = None
        self._file: FileId | None = None

    def put(self, records: Sequence[Record]) -> None:
        """Keep the rows, all or none; they survive the death of the process.

        Raises:
            RowRefused: a row has no JSON form.
            SpoolUnusable: nothing was kept.
        """
        rows = [(self._target, _KIND_OF[type(record)], to_json(record)) for record in records]
        self._write("INSERT INTO spool (target, kind, payload) VALUES (?, ?, ?)", rows)

    def refuse(self, record: Record, problem: str) -> None:
        """Set a row aside that no database will take; table `refused` keeps it for people to look at.

        Raises:
            SpoolUnusable: it was not kept.
        """
        try:
            payload = to_json(record)
        except RowRefused:
            payload = ascii(record)
        row = (self._target, _KIND_OF[type(record)], payload, problem)
        self._write("INSERT INTO refused (target, kind, payload, problem) VALUES (?, ?, ?, ?)", [row])
        self._report(row_key(record), problem)

    def pending(self) -> int:
        """Rows that wait for the database.

        Raises:
            SpoolUnusable: nobody can tell.
        """
        return self._count("spool")

    def refused(self) -> int:
        """Rows that the database did not take.

        Raises:
            SpoolUnusable: nobody can tell.
        """
        return self._count("refused")

    def drain(
        self, send: Callable[[Sequence[Record]], None], *, batch: int = 500, regardless: bool = False
    ) -> int | None:
        """Send the rows in order, in batches, and delete what was sent.

        Args:
            send: writes a batch to the database and returns once it is committed.
            batch: rows per call.
            regardless: also where another process is draining: harmless, but the database sees the rows twice.

        Returns:
            Rows that left the spool; None where another process is at it.

        Raises:
            SpoolUnusable: the spool cannot be read, or what was sent cannot be deleted (it will be sent again).
            SproutError: whatever `send` raises, `RowRefused` excepted.
        """
        with self._translated(), self._claim() as claimed:
            if not claimed and not regardless:
                return None
            with closing(self._open()) as connection:
                return self._drain(connection, send, batch)

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            self._close_writer()

    def _drain(self, connection: sqlite3.Connection, send: Callable[[Sequence[Record]], None], batch: int) -> int:
        sent = last = 0
        failure: sqlite3.Error | None = None
        while rows := connection.execute(
            "SELECT seq, kind, payload FROM spool WHERE target = ? AND seq > ? ORDER BY seq LIMIT ?",
            (self._target, last, batch),
        ).fetchall():
            refused = _send(rows, send)
            last = rows[-1][0]
            sent += len(rows)
            try:
                self._delete(connection, last, refused)
            except sqlite3.Error as exc:
                # On a full disk. The rest is sent all the same, lest younger rows in memory overtake it.
                failure = exc
        if failure is not None:
            raise failure
        return sent

    def _delete(self, connection: sqlite3.Connection, last: int, refused: Mapping[int, str]) -> None:
        """Drop the rows up to number `last`; the refused ones are set aside in the same transaction."""
        with connection:
            for seq, problem in refused.items():
                connection.execute(
                    "INSERT INTO refused (target, kind, payload, problem) "
                    "SELECT target, kind, payload, ? FROM spool WHERE seq = ?",
                    (problem, seq),
                )
            connection.execute("DELETE FROM spool WHERE target = ? AND seq <= ?", (self._target, last))
        for seq, problem in refused.items():
            self._report(f"number {seq}", problem)

    def _write(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        with self._lock:
            try:
                if self._writer is None or file_id(self.path) != self._file:
                    self._close_writer()
                    self._writer = self._open()
                    self._file = file_id(self.path)
                with self._writer:
                    self._writer.executemany(statement, rows)
            except (sqlite3.Error, OSError) as exc:
                self._close_writer()
                raise SpoolUnusable(f"{self.path}: {exc}") from exc

    def _count(self, table: str) -> int:
        with self._translated(), closing(self._open()) as connection:
            query = f"SELECT count(*) FROM {table} WHERE target = ?"  # noqa: S608 - one of two names above
            return int(connection.execute(query, (self._target,)).fetchone()[0])

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
        try:
            set_up(connection)
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _claim(self) -> Iterator[bool]:
        """Whether no other process is draining. The kernel ends the claim of a process that dies."""
        with self._drain_lock.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                # Closing would do, but for a child forked meanwhile, which holds the file open as well.
                fcntl.flock(file, fcntl.LOCK_UN)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            raise SpoolUnusable(f"{self.path}: {exc}") from exc

    def _report(self, row: str, problem: str) -> None:
        _LOG.error("%s refuses row %s: %s. It is kept in table refused of %s", self._target, row, problem, self.path)


def _send(rows: Sequence[tuple[int, str, str]], send: Callable[[Sequence[Record]], None]) -> dict[int, str]:
    """Send one batch; returns what is wrong with the rows that were refused, by number."""
    refused: dict[int, str] = {}
    records: dict[int, Record] = {}
    for seq, kind, payload in rows:
        try:
            records[seq] = from_json(kind, payload)
        except RowRefused as exc:
            refused[seq] = str(exc)
    return refused | send_batch(records, send)
