"""Answers kept in the ledger's database: they outlive the process, and all processes on one ledger share them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sprout_like.clock import Clock
from sprout_like.ledger.exchange import FAULTS, Exchange
from sprout_like.ledger.schema import AnswerRow
from sprout_like.reuse.memory_answers import MemoryAnswers

__all__ = ["LedgerAnswers"]

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
        self._new: set[str] = set()
        self._used: set[str] = set()
        self._read_utc: datetime | None = None
        says = "kept answers cannot be exchanged; those in memory are used until it is back"
        self._database = Exchange(engine, clock, self._exchange, says=says, missed=self._forget_what_is_gone)
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
        self._database.tick()

    def close(self) -> None:
        """Write what waits; tried once."""
        self._database.close()

    def _exchange(self) -> None:
        with self._lock:
            new, self._new = self._new, set()
            used, self._used = self._used, set()
        now = self._clock.now_utc()
        try:
            self._write(new, used, now)
            self._read(now)
        except FAULTS:
            with self._lock:
                self._new |= new
                self._used |= used
            raise

    def _forget_what_is_gone(self) -> None:
        """What has gone from memory is never written, and in a long outage that may be a lot."""
        with self._lock:
            self._new = self._held_of(self._new)
            self._used = self._held_of(self._used)

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
