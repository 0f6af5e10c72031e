"""All that the page asks for, each part by itself: one that fails takes no other with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Final, TypeVar

from sprout_like.clock import Clock
from sprout_like.dashboard import health
from sprout_like.dashboard.database import ReadOnlyDatabase
from sprout_like.dashboard.grid_now import GridWatch
from sprout_like.dashboard.jobs import jobs_now
from sprout_like.dashboard.prepared import Prepared
from sprout_like.dashboard.remembered import Remembered
from sprout_like.dashboard.requests import Book, read_book, served
from sprout_like.dashboard.saving import saving_data
from sprout_like.dashboard.span import SPANS
from sprout_like.dashboard.traffic import rate_since, traffic_of
from sprout_like.doctor.finding import Finding
from sprout_like.doctor.spool import look_at_waiting
from sprout_like.errors import LedgerError
from sprout_like.ledger.spool import Spool
from sprout_like.settings import Settings

__all__ = ["Data", "Parts"]

_Answer = TypeVar("_Answer")

_FIRST_SPAN: Final = "day"
"""The page opens on it."""

_PENDING: Final = {"pending": True}
_JUST_NOW: Final = timedelta(minutes=4)
"""And as much of the minute that now is in as has passed of it."""

_METER_EVERY_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the data comes from.

    Attributes:
        database: the ledger's. spool: rows on their way to it, on this machine.
        grid: refreshed by somebody else. settings: of the meter and the site. clock: stamps and waits.
        poll_s: how often the page asks, in s.
        patience_s: how long it waits for what is added up for the first time, in s; then it is told to ask again.
    """

    database: ReadOnlyDatabase
    spool: Spool
    grid: GridWatch
    settings: Settings
    clock: Clock
    poll_s: float = 5.0
    patience_s: float = 0.2


class Data:
    """Answers as data for JSON; what takes long is made in the background, and `pending` until it is there.

    All raise `LedgerError` where they need the ledger and it cannot be read.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        database = parts.database

        def prepared(make: Callable[[str], _Answer], every_s: float) -> Prepared[str, _Answer]:
            return Prepared(
                make, every_s=every_s, clock=parts.clock, patience_s=parts.patience_s, of=lambda: database.generation
            )

        self._book = prepared(self._make_book, 6 * parts.poll_s)
        self._saving = prepared(self._make_saving, 3 * parts.poll_s)
        self._energy = prepared(self._make_energy, 6 * parts.poll_s)
        self._traffic = Remembered(self._make_traffic, keep_s=0.3 * parts.poll_s, clock=parts.clock)
        self._jobs = Remembered(self._make_jobs, keep_s=0.6 * parts.poll_s, clock=parts.clock)
        self._meters: Remembered[str, Sequence[Finding]] = Remembered(
            lambda _: health.machine_meters(parts.settings), keep_s=_METER_EVERY_S, clock=parts.clock
        )

        self._book.ahead("")
        self._saving.ahead(_FIRST_SPAN)

    def close(self) -> None:
        """End what is made in the background."""
        for prepared in (self._book, self._saving, self._energy):
            prepared.close()

    def page(self) -> Mapping[str, Any]:
        """What the page itself must know."""
        return {
            "version": version("sprout-like"),
            "ledger": self._parts.database.name,
            "poll_s": self._parts.poll_s,
        }

    def now(self) -> Mapping[str, Any]:
        """The grid; never waits."""
        return asdict(self._parts.grid.now())

    def traffic(self, span: str) -> Mapping[str, Any]:
        """Requests of a span."""
        return self._traffic(span)

    def saving(self, span: str) -> Mapping[str, Any]:
        """Savings of a span."""
        with self._parts.database.reading():
            pass  # an answer of before must not hide that the ledger is gone
        return {"span": span, **(self._saving(span) or _PENDING)}

    def jobs(self) -> Mapping[str, Any]:
        """Jobs and workers."""
        return self._jobs("")

    def health(self) -> Mapping[str, Any]:
        """Findings, as of the doctor."""
        return {"findings": [asdict(finding) for finding in self._findings()]}

    def _make_traffic(self, name: str) -> Mapping[str, Any]:
        span, now_utc = SPANS[name], self._parts.clock.now_utc()
        with self._parts.database.reading() as engine:
            book = self._book("")
            if book is None:
                return {"span": name, **_PENDING}
            past, latest = served(book, engine, span, now_utc)
        just_now_utc = SPANS["hour"].bucket_utc(now_utc) - _JUST_NOW
        traffic = asdict(traffic_of([*past, *latest], span, now_utc))
        return {"span": name, **traffic, "latest_per_minute": rate_since(latest, just_now_utc, now_utc)}

    def _make_book(self, _: str) -> Book:
        with self._parts.database.reading() as engine:
            return read_book(engine, self._parts.clock.now_utc())

    def _make_saving(self, name: str) -> Mapping[str, Any]:
        span, now_utc = SPANS[name], self._parts.clock.now_utc()
        with self._parts.database.reading() as engine:
            return saving_data(engine, self._parts.settings, span.since_utc(now_utc), now_utc)

    def _make_energy(self, _: str) -> Sequence[Finding]:
        with self._parts.database.reading() as engine:
            since_utc = SPANS["day"].since_utc(self._parts.clock.now_utc())
            return list(health.meter_findings(engine, since_utc))

    def _make_jobs(self, _: str) -> Mapping[str, Any]:
        with self._parts.database.reading() as engine:
            return asdict(jobs_now(engine, clock=self._parts.clock, pue=self._parts.settings.pue))

    def _findings(self) -> Iterator[Finding]:
        parts = self._parts
        yield from health.grid_findings(parts.grid.now())
        yield from self._meters("")
        try:
            with parts.database.reading() as engine:
                yield from self._energy("") or ()
                yield from health.ledger_findings(engine, parts.database.name)
        except LedgerError as exc:
            yield Finding("ledger", "fail", str(exc).removeprefix("ledger: "))
        yield from look_at_waiting(parts.spool)
