"""The ledger that loses nothing: a database where it answers, the spool where it does not, memory where neither does.

Rows go straight into a local database. For a server they always go through the spool, so that no request waits for the
network. In an outage every row takes the long way until all rows before it have arrived, which keeps them in order.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Final

from sprout_like.clock import Clock, SystemClock
from sprout_like.errors import LedgerUnreachable, RowRefused, SpoolUnusable, SproutError
from sprout_like.ledger.rows import Record, row_key, to_json
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.store import Store, send_batch

__all__ = ["LedgerStatus", "SqlLedger"]

_LOG = logging.getLogger(__name__)

_BATCH: Final = 500
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatus:
    """Where the rows are.

    Attributes:
        database: the database, without secrets.
        spool: the spool file.
        pending: rows that wait in the spool for this database, those of other processes included; None where the spool
            cannot be read.
        in_memory: rows of this process that neither took so far; they are lost if it ends now.
        refused: rows that the database will never take, set aside in the spool; None where it cannot be read.
        outages: how often the database went away since this process began.
        problem: what is wrong now; None where nothing is.
    """

    database: str
    spool: Path
    pending: int | None
    in_memory: int
    refused: int | None
    outages: int
    problem: str | None


class SqlLedger:
    """A `Ledger` over a store and a spool. Thread-safe; goes on working in a forked child.

    Nothing happens by itself: somebody calls `tick` about once a second.

    Args:
        open_parts: makes the store and the spool, without touching either; called again in a forked child.
        clock: for the time between attempts in an outage.

    Raises:
        SettingError: the database needs a change by the user. One that merely does not answer is an outage.
        LedgerVersionError: its schema is newer than this release.
    """

    def __init__(self, open_parts: Callable[[], tuple[Store, Spool]], *, clock: Clock | None = None) -> None:
        self._open_parts = open_parts
        self._clock = clock or SystemClock()
        self._inherited: list[tuple[Store, Spool]] = []
        self._reset()
        try:
            self._prepare()
        except LedgerUnreachable as exc:
            self._outage(exc)
        except SproutError:
            self._store.close()
            raise
        if self._store.local:
            self.tick()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = RLock()
        self._shipping = RLock()
        self._under_way = False
        self._memory: deque[Record] = deque()
        self._direct = False
        self._prepared = False
        self._closed = False
        self._problem: str | None = None
        self._spool_problem: str | None = None
        self._outages = 0
        self._retry_s = 0.0
        self._retry_at_s = 0.0
        parts = self._open_parts()
        self._store: Store = parts[0]
        self._spool: Spool = parts[1]

    @property
    def name(self) -> str:
        """The database, without secrets; the same for all ledgers on it."""
        return self._store.name

    def append(self, record: Record) -> None:
        """Keep one row: in the database if that is local and well, else in the spool, else in memory."""
        self._mind_fork()
        with self._lock:
            if self._direct:
                try:
                    self._store.insert((record,))
                except LedgerUnreachable as exc:
                    self._outage(exc)
                except RowRefused as exc:
                    self._set_aside(record, exc)
                    return
                else:
                    return
            self._keep(record)

    def tick(self) -> None:
        """Send what waits, or, in an outage, try again once it is time. Never raises for the database's faults."""
        self._mind_fork()
        if self._shipping.acquire(blocking=False):
            try:
                self._ship_once(regardless=False)
            finally:
                self._shipping.release()

    def flush(self) -> int:
        """Send what waits, now; returns how many rows still wait. A spool that cannot be read counts as one."""
        self._mind_fork()
        with self._shipping:
            self._ship_once(regardless=True)
        status = self.status()
        return status.in_memory + (1 if status.pending is None else status.pending)

    def close(self) -> None:
        """Flush once and release connections. Later rows go to the spool, and from there with the next start."""
        self._mind_fork()
        with self._shipping:
            if self._closed:
                return
            self._ship_once(regardless=True)
            with self._lock:
                self._closed = True
                self._direct = False
                self._store.close()
                self._spool.close()
                if self._memory:
                    _LOG.error("ledger: %d rows could be stored nowhere", len(self._memory))

    def status(self) -> LedgerStatus:
        """Where the rows are; for `doctor`."""
        try:
            pending, refused, spool_problem = self._spool.pending(), self._spool.refused(), self._spool_problem
        except SpoolUnusable as exc:
            pending, refused, spool_problem = None, None, str(exc)
        problems = [problem for problem in (self._problem, spool_problem) if problem is not None]
        return LedgerStatus(
            database=self._store.name,
            spool=self._spool.path,
            pending=pending,
            in_memory=len(self._memory),
            refused=refused,
            outages=self._outages,
            problem="; ".join(problems) or None,
        )

    # `_shipping` is held by whoever moves rows to the database, for as long as that takes. `_lock` guards the state and
    # is held for local writes alone. `_direct` becomes True under both, so that the store has one user at a time.

    def _mind_fork(self) -> None:
        """Start afresh in a forked child: SQLite's connections and held locks must not be used on both sides."""
        if os.getpid() == self._pid:
            return
        # Kept, for closing them here would disturb the parent (https://www.sqlite.org/howtocorrupt.html, 2.6).
        self._inherited.append((self._store, self._spool))
        self._reset()
        if self._store.local:
            self.tick()

    def _prepare(self) -> None:
        if not self._prepared:
            self._store.prepare()
            self._prepared = True

    def _ship_once(self, *, regardless: bool) -> None:
        # A thread that is at it already may come here again: garbage is collected anywhere, and a forgotten wrapper
        # then flushes its ledger.
        if not self._under_way:
            self._under_way = True
            try:
                self._ship(regardless=regardless)
            finally:
                self._under_way = False

    def _ship(self, *, regardless: bool) -> None:
        if self._closed:
            return
        if self._direct:
            self._store.tidy()
            return
        with self._lock:
            self._unload()
        if not regardless and self._clock.monotonic_s() < self._retry_at_s:
            return
        try:
            self._prepare()
            moved = self._drain(regardless=regardless)
            if moved is None:  # another process is at it
                return
            self._well(moved)
            if self._store.local:
                with self._lock:  # what came in meanwhile, while nothing more can
                    self._drain(regardless=regardless)
                    self._direct = not self._memory and self._spool.pending() == 0
        except SpoolUnusable as exc:
            self._spool_outage(exc)
        except SproutError as exc:
            self._outage(exc)

    def _drain(self, *, regardless: bool) -> int | None:
        """Send the spool's rows, then those in memory, which are younger; returns how many, None for "not now"."""
        try:
            moved = self._spool.drain(self._store.insert, batch=_BATCH, regardless=regardless)
        except SpoolUnusable as exc:
            self._spool_outage(exc)
            moved = 0
        if moved:
            self._spool_well()
        while moved is not None and self._memory:
            with self._lock:
                rows = dict(enumerate(islice(self._memory, _BATCH)))
            refused = send_batch(rows, self._store.insert)
            with self._lock:
                for number, record in rows.items():
                    # `append` may have got some of them into the spool meanwhile: they are sent twice, stored once.
                    if self._memory and self._memory[0] is record:
                        self._memory.popleft()
                    if number in refused:
                        self._set_aside(record, RowRefused(refused[number]))
            moved += len(rows)
        return moved

    def _keep(self, record: Record) -> None:
        """Into the spool, behind the rows in memory."""
        try:
            if self._memory:
                to_json(record)  # refuse it here: in memory, it would hold up the others
                self._memory.append(record)
                self._unload()
            else:
                self._spool.put((record,))
                self._spool_well()
        except RowRefused as exc:
            self._set_aside(record, exc)
        except SpoolUnusable as exc:
            self._spool_outage(exc)
            self._memory.append(record)
        if self._closed:
            self._spool.close()

    def _unload(self) -> None:
        """Move rows from memory to the spool as far as it takes them."""
        size = 1  # every request asks: as long as the answer is no, it costs one row
        while self._memory:
            rows = list(islice(self._memory, size))
            try:
                self._spool.put(rows)
            except SpoolUnusable as exc:
                self._spool_outage(exc)
                return
            for _ in rows:
                self._memory.popleft()
            self._spool_well()
            size = _BATCH

    def _set_aside(self, record: Record, refusal: RowRefused) -> None:
        try:
            self._spool.refuse(record, str(refusal))
        except SpoolUnusable as exc:
            _LOG.error("ledger: row %s is lost: %s, and %s", row_key(record), refusal, exc)

    def _outage(self, error: SproutError) -> None:
        self._direct = False
        self._prepared = False
        if self._problem is None:
            self._outages += 1
            _LOG.warning("%s. Rows are kept in %s until it is back", error, self._spool.path)
        self._problem = str(error)
        self._retry_s = min(max(2 * self._retry_s, _FIRST_RETRY_S), _LAST_RETRY_S)
        self._retry_at_s = self._clock.monotonic_s() + self._retry_s

    def _well(self, moved: int) -> None:
        self._retry_s = self._retry_at_s = 0.0
        if self._problem is not None:
            self._problem = None
            _LOG.info("ledger: %s is back, %d rows sent", self._store.name, moved)

    def _spool_outage(self, error: SpoolUnusable) -> None:
        if self._spool_problem is None:
            _LOG.warning(
                "%s. Rows are kept in memory until it can be used; they are lost if the process ends first", error
            )
        self._spool_problem = str(error)

    def _spool_well(self) -> None:
        if self._spool_problem is not None:
            self._spool_problem = None
            _LOG.info("ledger: %s can be written again", self._spool.path)
