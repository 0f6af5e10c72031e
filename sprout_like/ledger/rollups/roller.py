"""Adds up the hours and days that are over, so that reports need not read their rows again.

In three steps, none of which holds anybody up for long. *Claim*: the marks of the hours that are over get this
process' number. *Read*: the rows of the claimed hours, in a transaction that sees all that was committed before.
*Keep*: per hour, the claimed marks are deleted and the sums are written, in one transaction. A writer takes the number
off the mark, or adds a mark, in the transaction of its rows: if that commits after the claim, a mark is left and the
hour stays stale. One that has not committed yet holds its mark locked on PostgreSQL, where the claim passes over it; on
SQLite there is one writer at a time. Days are made of hours in the same way; what keeps an hour marks its day.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, Row, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from sprout_like.clock import Clock, SystemClock
from sprout_like.ledger.rollups.keeping import Keeper
from sprout_like.ledger.rollups.live import SPANS_MOST, live, within
from sprout_like.ledger.rollups.outcome import Ended, RollUp
from sprout_like.ledger.rollups.spans import DAY, day_of, hour_of, joined
from sprout_like.ledger.schema import HourRow, RequestRow, StaleDayRow, StaleHourRow
from sprout_like.ledger.schema_rollups import TOO_LARGE

__all__ = ["roll_up"]

_ROWS_AT_ONCE: Final = 20_000
_HOURS_AT_ONCE: Final = 168
_LINES_AT_ONCE: Final = 2_000
"""Lines per transaction: on SQLite, a request that is to be written meanwhile waits for it (about 20 ms)."""

_DAY_LINES_MOST: Final = 20_000
"""A day of more is left to its hours: it would take one long transaction (this many take about 150 ms)."""

_READ_ONLY: Final = {"42501", "25006"}
"""insufficient_privilege, read_only_sql_transaction (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

_BUSY: Final = {"40P01", "55P03"}
"""deadlock_detected, lock_not_available."""

# Any number will do, as long as every release uses the same.
_ADVISORY_LOCK: Final = 7_768_657_532


def roll_up(
    engine: Engine,
    *,
    now_utc: datetime,
    budget_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    clock: Clock | None = None,
) -> RollUp:
    """Add up all stale hours that are over; the current one is always read from the rows.

    Several processes may be at it: each hour is kept by one of them. Interrupted, it leaves hours stale, and no harm.

    Args:
        engine: a database with the ledger's schema.
        now_utc: hours that end later are not over.
        budget_s: no further hours are begun after that many seconds; None for no limit.
        progress: told how many hours are done, and of how many.
        clock: for the budget.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors, other than that it is busy or may only be read.
    """
    end_utc = hour_of(now_utc)
    run = _Run(engine, end_utc, budget_s, progress or (lambda _done, _of: None), clock or SystemClock())
    ended: Ended
    try:
        ended = "done" if run.add_up_hours() and run.add_up_days() else "budget"
    except DBAPIError as exc:
        ended = _reason(exc)
    return RollUp(
        hours_n=run.hours_n,
        requests_n=run.requests_n,
        lines_n=run.lines_n,
        left_n=_count(engine, StaleHourRow.hour_utc, StaleHourRow.hour_utc < end_utc),
        ended=ended,
    )


class _Run:
    def __init__(
        self,
        engine: Engine,
        end_utc: datetime,
        budget_s: float | None,
        progress: Callable[[int, int], None],
        clock: Clock,
    ) -> None:
        self.hours_n = self.requests_n = self.lines_n = 0
        self._engine = engine
        self._end_utc = end_utc
        self._budget_s = budget_s
        self._progress = progress
        self._clock = clock
        self._begun_s = clock.monotonic_s()
        self._postgres = engine.dialect.name == "postgresql"
        self._claim = secrets.randbits(63)
        self._keeper = Keeper(engine.dialect.name)

    def add_up_hours(self) -> bool:
        """All claimed hours, oldest first; False where the time was up before."""
        if (
            _count(self._engine, StaleHourRow.hour_utc, StaleHourRow.hour_utc < self._end_utc) == 0
        ):  # before the claim, which is a write
            return True
        hours = self._claimed_hours()
        done = 0
        width = 1
        while done < len(hours):
            if self._time_is_up():
                return False
            chunk = hours[done : done + width]
            rows_n = self._add_up(chunk)
            done += len(chunk)
            self._progress(done, len(hours))
            width = max(1, min(_HOURS_AT_ONCE, len(chunk) * _ROWS_AT_ONCE // max(1, rows_n)))
        return True

    def add_up_days(self) -> bool:
        """All days that are over and of which every hour is added up; False where the time was up before."""
        over = (StaleDayRow.day_utc < day_of(self._end_utc)) & StaleDayRow.claim.is_distinct_from(TOO_LARGE)
        if _count(self._engine, StaleDayRow.day_utc, over) == 0:
            return True
        with self._writing() as connection:
            connection.execute(update(StaleDayRow).where(over).values(claim=self._claim))
            days = connection.scalars(select(StaleDayRow.day_utc).where(over).order_by(StaleDayRow.day_utc)).all()
        for day in days:
            if self._time_is_up():
                return False
            self._add_up_day(day)
        return True

    def _claimed_hours(self) -> list[datetime]:
        """Those of which all marks could be claimed; those that a writer is at are left to the next run."""
        mark = (StaleHourRow.hour_utc, StaleHourRow.session_id)
        over = StaleHourRow.hour_utc < self._end_utc
        with self._writing() as connection:
            found: Any = over
            if self._postgres:
                free = select(*mark).where(over).with_for_update(skip_locked=True).subquery()
                found = (StaleHourRow.hour_utc == free.c.hour_utc) & (StaleHourRow.session_id == free.c.session_id)
            connection.execute(update(StaleHourRow).where(found).values(claim=self._claim))
            claimed = select(StaleHourRow.hour_utc).where(over).group_by(StaleHourRow.hour_utc)
            all_mine = func.count() == func.count(1).filter(StaleHourRow.claim == self._claim)
            return list(connection.scalars(claimed.having(all_mine).order_by(StaleHourRow.hour_utc)))

    def _add_up(self, hours: Sequence[datetime]) -> int:
        """Read and keep these hours; returns how many requests that were."""
        query = live(self._engine.dialect.name).where(within(RequestRow.started_utc, joined(hours, most=SPANS_MOST)))
        lines: dict[datetime, list[Row[Any]]] = {hour: [] for hour in hours}
        with self._engine.connect() as connection:
            for line in connection.execute(query):
                if line[0] in lines:
                    lines[line[0]].append(line)
        rows_n: int = sum(line.requests_n for found in lines.values() for line in found)
        # Of a row whose context or period is missing, nobody knows the group. Its hour stays stale.
        lines = {hour: found for hour, found in lines.items() if not any(None in (x.purpose, x.model) for x in found)}
        batch: dict[datetime, list[Row[Any]]] = {}
        for hour, found in lines.items():
            batch[hour] = found
            if sum(map(len, batch.values())) >= _LINES_AT_ONCE:
                self._keep(batch)
                batch = {}
        self._keep(batch)
        return rows_n

    def _keep(self, batch: Mapping[datetime, Sequence[Row[Any]]]) -> None:
        """Write the sums of the hours, those left out that another process has added up since they were claimed."""
        with self._writing() as connection:
            mine = {hour: lines for hour, lines in batch.items() if self._unmarked(connection, hour)}
            self._keeper.keep_hours(connection, mine)
        self._keeper.remember()
        self.hours_n += len(mine)
        self.lines_n += sum(map(len, mine.values()))
        self.requests_n += sum(line.requests_n for lines in mine.values() for line in lines)

    def _unmarked(self, connection: Connection, hour: datetime) -> bool:
        """Delete the claimed marks of an hour; False where there are none any more."""
        claimed = (StaleHourRow.hour_utc == hour, StaleHourRow.claim == self._claim)
        # Waits for no writer, who might be waiting for the mark of another hour of this transaction.
        free = select(StaleHourRow.session_id).where(*claimed).with_for_update(skip_locked=True)
        gone = connection.execute(delete(StaleHourRow).where(*claimed, StaleHourRow.session_id.in_(free)))
        return gone.rowcount > 0

    def _add_up_day(self, day: datetime) -> None:
        of_day = (HourRow.hour_utc >= day, HourRow.hour_utc < day + DAY)
        measures = [column for column in HourRow.__table__.columns if not column.primary_key]
        sums = select(HourRow.group_ref, *(func.sum(column).label(column.name) for column in measures))
        stale = select(StaleHourRow.hour_utc).where(StaleHourRow.hour_utc >= day, StaleHourRow.hour_utc < day + DAY)
        with self._engine.connect() as connection:
            if connection.execute(stale.limit(1)).first() is not None:
                return
            groups_n = connection.scalar(select(func.count(HourRow.group_ref.distinct())).where(*of_day)) or 0
            fits = groups_n <= _DAY_LINES_MOST
            lines = connection.execute(sums.where(*of_day).group_by(HourRow.group_ref)).all() if fits else []
        claimed = (StaleDayRow.day_utc == day, StaleDayRow.claim == self._claim)
        with self._writing() as connection:
            if not fits:
                connection.execute(update(StaleDayRow).where(*claimed).values(claim=TOO_LARGE))
            elif connection.execute(delete(StaleDayRow).where(*claimed)).rowcount:
                self._keeper.keep_day(connection, day, lines)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction in which no other process adds up; on SQLite, that begins with its first write."""
        with self._engine.begin() as connection:
            if self._postgres:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection

    def _time_is_up(self) -> bool:
        return self._budget_s is not None and self._clock.monotonic_s() - self._begun_s >= self._budget_s


def _count(engine: Engine, start: Any, condition: Any) -> int:
    over = select(start).where(condition).distinct().subquery()
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(over)) or 0


def _reason(error: DBAPIError) -> Literal["busy", "read_only"]:
    """Why nothing could be written.

    Raises:
        DBAPIError: it is neither reason.
    """
    if isinstance(error.orig, sqlite3.Error):
        code = error.orig.sqlite_errorcode & 0xFF  # the others say in which call it happened
        if code == sqlite3.SQLITE_READONLY:
            return "read_only"
        if code == sqlite3.SQLITE_BUSY:
            return "busy"
    state = getattr(error.orig, "sqlstate", None)
    if state in _READ_ONLY:
        return "read_only"
    if state in _BUSY:
        return "busy"
    raise error
