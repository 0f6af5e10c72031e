"""Answers kept in the ledger's database: they outlive the process, and all processes on one ledger share them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.clock import Clock
from sprout_like.errors import SproutError
from sprout_like.ledger.address import public_name
from sprout_like.ledger.faults import first_line
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.schema import AnswerRow
from sprout_like.reuse.memory_answers import MemoryAnswers

__all__ = ["LedgerAnswers"]

_LOG = logging.getLogger("sprout_like")

_EXCHANGE_EVERY_S: Final = 5.0
_FIRST_RETRY_S: Final = 10.0
_LAST_RETRY_S: Final = 300.0

_SKEW: Final = timedelta(minutes=10)
"""How far the clocks of two machines may be apart before one misses answers of the other."""

_BATCH: Final = 200


class LedgerAnswers:
    """An `AnswerStore` in the table `answers`, whose contents are the answers' text as tokens.

    Requests are served from memory alone. The database is read at the start, and written and read again every few
    seconds in the background, so that neither its slowness nor its outages reach a request.

    Args:
        engine: of the ledger's database, from `build_engine`; this object's own.
        most_entries: most answers kept, in the table and in memory.
        most_bytes: most bytes of their contents, in the table and in memory.
        clock: stamps, and the time between exchanges.
    """

    def __init__(self, engine: Engine, *, most_entries: int, most_bytes: int, clock: Clock) -> None:
        self._engine = engine
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._clock = clock
        self._held = MemoryAnswers(most_entries=most_entries, most_bytes=most_bytes)
        self._lock = threading.Lock()
        self._exchanging = threading.Lock()
        self._new: set[str] = set()
        self._used: set[str] = set()
        self._read_utc: datetime | None = None
        self._retry_s = self._next_s = 0.0
        self._prepared = self._closed = False
        self._pid = os.getpid()
        self.tick()

    def get(self, key: str) -> str | None:
        """The content, from memory."""
        content = self._held.get(key)
        if content is not None:
            with self._lock:
                self._used.add(key)
        return content

    def put(self, key: str, content: str) -> None:
        """Keep it in memory at once, and in the database with the next exchange."""
        self._held.put(key, content)
        with self._lock:
            self._new.add(key)

    def tick(self) -> None:
        """Exchange with the database, where it is time."""
        with self._exchanging:
            if not self._closed and self._clock.monotonic_s() >= self._next_s:
                self._exchange()

    def close(self) -> None:
        """Write what waits; tried once."""
        with self._exchanging:
            if not self._closed:
                self._exchange()
                self._closed = True
                self._engine.dispose()

    def _exchange(self) -> None:
        if os.getpid() != self._pid:
            # The parent's connections must not be used, nor closed, in a forked child.
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        with self._lock:
            new, self._new = self._new, set()
            used, self._used = self._used, set()
        try:
            if not self._prepared:
                ensure_schema(self._engine)
                self._prepared = True
            now = self._clock.now_utc()
            self._write(new, used, now)
            self._read(now)
        except (SQLAlchemyError, SproutError, OSError) as exc:
            with self._lock:
                # What has gone from memory is never written, and in a long outage that may be a lot.
                self._new = self._held_of(self._new | new)
                self._used = self._held_of(self._used | used)
            self._prepared = False
            if not self._retry_s:
                _LOG.warning(
                    "%s: kept answers cannot be exchanged (%s); those in memory are used until it is back",
                    public_name(self._engine.url),
                    first_line(exc),
                )
            self._retry_s = min(max(2 * self._retry_s, _FIRST_RETRY_S), _LAST_RETRY_S)
            self._next_s = self._clock.monotonic_s() + self._retry_s
            return
        self._retry_s = 0.0
        self._next_s = self._clock.monotonic_s() + _EXCHANGE_EVERY_S

    def _held_of(self, keys: set[str]) -> set[str]:
        return {key for key in keys if self._held.peek(key) is not None}

    def _write(self, new: set[str], used: set[str], now: datetime) -> None:
        # What has gone from memory meanwhile is not worth writing.
        contents = {key: content for key in sorted(new) if (content := self._held.peek(key)) is not None}
        if not contents and not used:
            return
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._engine.begin() as connection:
            for keys in _batches(sorted(used)):
                connection.execute(update(AnswerRow).where(AnswerRow.key.in_(keys)).values(used_utc=now))
            if contents:
                rows = [
                    {"key": key, "created_utc": now, "used_utc": now, "bytes": len(content), "content": content}
                    for key, content in contents.items()
                ]
                connection.execute(insert(AnswerRow).on_conflict_do_nothing(), rows)
                self._evict(connection)

    def _evict(self, connection: Connection) -> None:
        sizes = connection.execute(select(AnswerRow.key, AnswerRow.bytes).order_by(*_LATEST_FIRST)).all()
        for keys in _batches([key for key, _ in sizes[self._fitting(sizes) :]]):
            connection.execute(delete(AnswerRow).where(AnswerRow.key.in_(keys)))

    def _read(self, now: datetime) -> None:
        """Take in what others have added since the last time."""
        sizes = select(AnswerRow.key, AnswerRow.bytes).order_by(*_LATEST_FIRST)
        if self._read_utc is not None:
            sizes = sizes.where(AnswerRow.created_utc >= self._read_utc - _SKEW)
        with self._engine.connect() as connection:
            found = connection.execute(sizes).all()
            unknown = [key for key, _ in found[: self._fitting(found)] if self._held.peek(key) is None]
            contents: dict[str, str] = {}
            for keys in _batches(unknown):
                rows = connection.execute(select(AnswerRow.key, AnswerRow.content).where(AnswerRow.key.in_(keys)))
                contents.update(rows.all())
        for key in reversed(unknown):  # the latest used last, as it is to go last
            if key in contents:
                self._held.put(key, contents[key])
        self._read_utc = now

    def _fitting(self, sizes: Sequence[tuple[str, int]]) -> int:
        """How many of them, from the first on, are within the bounds."""
        total = 0
        for index, (_, size) in enumerate(sizes[: self._most_entries]):
            total += size
            if total > self._most_bytes:
                return index
        return min(len(sizes), self._most_entries)


_LATEST_FIRST: Final[tuple[Any, ...]] = (AnswerRow.used_utc.desc(), AnswerRow.key)


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """So few at a time that every database takes them as parameters of one statement."""
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
