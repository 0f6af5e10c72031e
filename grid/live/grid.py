"""The latest reading and the forecast, in memory: what the request path looks at, and what somebody else refreshes.

There is no thread in here: whoever owns a `Grid` calls `refresh_if_due()` now and then
(docs/decisions/0002-grid-has-no-threads.md).
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grid.clock import UtcNow
from grid.errors import NoData, SourceError, SourceRefused
from grid.intensity import Intensity, Series
from grid.live.asking import ask_latest, check_covers, close_quietly, contained
from grid.live.cache import CacheKey, DiskCache
from grid.live.foresight import FITTED_ON, Foresight, foresee
from grid.live.looking import Look, Outlook, in_words, look_at
from grid.live.past import Past
from grid.live.refreshing import Turn, wait_for_forecast_s, wait_for_latest_s
from grid.live.stated import check_stated
from grid.source import Source

__all__ = ["Grid", "Look", "Outlook"]

logger = logging.getLogger("grid")

_uniform = random.SystemRandom().random


@dataclass(frozen=True, slots=True)
class _Now:
    """All that `look` needs, replaced as a whole, so that a reader never sees half of a change."""

    reading: Intensity | None = None
    repeats: int = 0
    turn: Turn = field(default_factory=Turn)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """All that `outlook` needs, replaced as a whole."""

    series: Series | None = None
    why_ours: str | None = None
    turn: Turn = field(default_factory=Turn)


class Grid:
    """A source and a zone, with the last reading and forecast in memory. One thread may refresh while others look.

    A reading is fresh until the end of its span, then stale for `hold_s`, then gone: the forecast of the slot that
    holds now stands in for it. A `static` figure describes no half hour in particular and is never stale. A forecast is
    used for as long as it covers what lies ahead. The two are asked for apart, and each waits by itself after its own
    failures. All waiting is counted on `now_utc`, so that a simulated clock drives the refreshes too.

    Args:
        source: whom to ask; closed with this object.
        zone: canonical zone name.
        now_utc: the clock.
        hold_s: for how long a reading is held beyond its span, in s.
        forecast_s: how far ahead the forecast is asked for, in s; 0 for no forecast.
        cache: where readings and the forecast outlive the process; None for memory only.
        uniform: draws from [0, 1), to spread the questions of many processes in time; 0 asks as early as makes sense.

    Raises:
        ZoneError: the source does not cover the zone.
        SourceSpecError: what the source says of itself is not what `Source` asks for, or its code fails.
    """

    def __init__(
        self,
        source: Source,
        zone: str,
        *,
        now_utc: UtcNow,
        hold_s: float = 3 * 3600.0,
        forecast_s: float = 96 * 3600.0,
        cache: DiskCache | None = None,
        uniform: Callable[[], float] = _uniform,
    ) -> None:
        check_stated(source)
        check_covers(source, zone)
        self.source = source
        self.zone = zone
        self._now_utc = now_utc
        self._hold_s = hold_s
        self._forecast_s = forecast_s
        self._cache = cache
        self._uniform = uniform
        self._past = Past(source, zone, cache)
        self._now, self._ahead = self._remembered()
        self._asking = threading.Lock()
        self._closed = False

    @property
    def latest_problem(self) -> str | None:
        """Why the last refresh of the reading failed; None where it did not, or there was none."""
        return self._now.turn.problem

    def look(self) -> Look:
        """The figure to go by, from memory alone: no network, no disk, no lock."""
        state, now_utc = self._now, self._now_utc()
        ahead = self._ahead.series if self._forecast_s > 0 else None
        return look_at(state.reading, state.turn, ahead, now_utc=now_utc, hold_s=self._hold_s)

    def outlook(self) -> Outlook:
        """The forecast to go by, from memory alone: no network, no disk, no lock."""
        if self._forecast_s <= 0:
            return Outlook(None, "no forecast: forecast_s is 0")
        ahead, now_utc = self._ahead, self._now_utc()
        problem = ahead.turn.problem
        if ahead.series is None:
            return Outlook(None, f"no forecast yet: {problem or 'the source has not been asked'}")
        series = ahead.series.between(now_utc, now_utc + timedelta(seconds=self._forecast_s))
        if not len(series):
            return Outlook(None, f"the forecast ended {ahead.series[-1].end_utc}: {problem or 'not refreshed since'}")
        from_disk = f"not refreshed since {series[0].fetched_at_utc}" if ahead.turn.asked_utc is None else None
        return Outlook(series, problem or ahead.why_ours or from_disk)

    def history(self, start_utc: datetime, end_utc: datetime) -> Series:
        """The readings that touch [start_utc, end_utc), up to now: memory and disk first, then the source. May wait.

        Gaps are what nobody knows. Where the source cannot be asked for what is missing, what is known is returned and
        the log says why it is not all.

        Raises:
            SourceError: nothing of the span is known, and the source had no answer; `NoData` where it has none.
        """
        series, problem = self._past.recall(start_utc, end_utc, self._now_utc())
        if not len(series):
            raise problem or NoData(f"{self.source.name}: no history for {self.zone} from {start_utc} to {end_utc}")
        if problem is not None:
            logger.warning("the history of %s from %s to %s has gaps: %s", self.zone, start_utc, end_utc, problem)
        return series

    def prime(self) -> None:
        """Ask for the first reading, at construction, where a wrong key can still be told to the user.

        Of a source whose newest reading is too old, as it is of those that publish a day later, ask for the forecast
        too, which stands in for it.

        Raises:
            SourceRefused: the source refused the key or the plan. Any other failure is a warning in the log.
        """
        with self._asking:
            self._ask(raise_refusal=True)
            if self.latest_problem is None and self.look().intensity is None:
                self._ask_ahead()

    def refresh(self) -> None:
        """Ask for the reading once. Where that fails, the last one is kept, and one warning per outage is logged."""
        with self._asking:
            self._ask()

    def refresh_outlook(self) -> None:
        """Ask for the forecast once, or make one. Where that fails, the last one is kept."""
        with self._asking:
            self._ask_ahead()

    def refresh_if_due(self) -> None:
        """Refresh what is due; returns at once where nothing is, or where another thread is at it."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            if self._now.turn.due_in_s(self._now_utc()) <= 0:
                self._ask()
            if self._ahead_due_in_s() <= 0:
                self._ask_ahead()
        finally:
            self._asking.release()

    def next_due_s(self) -> float:
        """Seconds from now until a refresh of the reading or the forecast makes sense; 0 where it is due."""
        return min(self._now.turn.due_in_s(self._now_utc()), self._ahead_due_in_s())

    def close(self) -> None:
        """Close the source; safe to call twice. Later refreshes do nothing, and looking goes on."""
        self._closed = True
        close_quietly(self.source)

    def _remembered(self) -> tuple[_Now, _Ahead]:
        now_utc = self._now_utc()
        # A reading's span may be a day long, and be held from its end.
        held = timedelta(seconds=min(self._hold_s, FITTED_ON.total_seconds())) + timedelta(days=1)
        known = self._past.known(now_utc - held, now_utc + timedelta.resolution)
        key = CacheKey(self.source.name, self.zone, self.source.kind, self.source.factors)
        forecast = self._cache.forecast(key) if self._cache is not None else None
        return _Now(known.last_before(now_utc)), _Ahead(forecast)

    def _ahead_due_in_s(self) -> float:
        return self._ahead.turn.due_in_s(self._now_utc()) if self._forecast_s > 0 else math.inf

    def _ask(self, *, raise_refusal: bool = False) -> None:
        if self._closed:
            return
        try:
            contained(self.source.name, self._ask_latest)
        except SourceError as exc:
            if raise_refusal and isinstance(exc, SourceRefused):
                raise
            if not self._closed:  # a request that close() cut short is no outage
                self._failed(exc)

    def _ask_latest(self) -> None:
        reading = ask_latest(self.source, self.zone, self._now_utc())
        self._answered(reading)
        self._past.add([reading], self._now_utc())

    def _answered(self, reading: Intensity) -> None:
        before, now_utc = self._now, self._now_utc()
        known = before.reading
        repeats = before.repeats + 1 if known is not None and known.start_utc == reading.start_utc else 0
        wait_s = wait_for_latest_s(
            reading, now_utc=now_utc, slot_s=self.source.slot_s, repeats=repeats, uniform=self._uniform()
        )
        self._now = _Now(reading, repeats, before.turn.answered(now_utc, wait_s))
        if before.turn.failures:
            logger.info("%s answers again, after %d failures", self.source.name, before.turn.failures)
        if reading.passed_over and not (known is not None and known.passed_over):
            logger.warning("%s answers for %s, not %s", reading.source, self.zone, "; ".join(reading.passed_over))

    def _failed(self, exc: SourceError) -> None:
        before, now_utc = self._now, self._now_utc()
        turn = before.turn.failed(now_utc, exc, uniform=self._uniform())
        self._now = _Now(before.reading, before.repeats, turn)
        if not before.turn.failures:
            logger.warning(
                "no new reading for %s, requests go on with the last one or none: %s; asking again in %s",
                self.zone,
                exc,
                in_words(turn.due_in_s(now_utc)),
            )

    def _ask_ahead(self) -> None:
        if self._closed or self._forecast_s <= 0:
            return
        try:
            contained(self.source.name, self._foresee)
        except SourceError as exc:
            if not self._closed:
                before = self._ahead
                self._ahead = _Ahead(before.series, before.why_ours, self._turn_after(before.turn, exc))

    def _foresee(self) -> None:
        known, now_utc = self._ahead.series, self._now_utc()
        found = foresee(
            self.source,
            self.zone,
            self._past,
            now_utc=now_utc,
            end_utc=now_utc + timedelta(seconds=self._forecast_s),
            held=known is not None and known[-1].end_utc > now_utc,
        )
        self._foreseen(found)

    def _foreseen(self, found: Foresight) -> None:
        turn, now_utc = self._ahead.turn, self._now_utc()
        if found.missed is not None:
            turn = self._turn_after(turn, found.missed)
        else:
            wait_s = wait_for_forecast_s(slot_s=self.source.slot_s, uniform=self._uniform())
            turn = turn.answered(now_utc, wait_s)
        self._ahead = _Ahead(found.series, found.why_ours, turn)
        if self._cache is not None:
            self._cache.store_forecast(self.source.name, found.series)

    def _turn_after(self, turn: Turn, exc: SourceError) -> Turn:
        if not turn.failures:
            # Many sources have none, and of one that is down the reading's own warning tells.
            logger.info("no new forecast for %s: %s", self.zone, exc)
        return turn.failed(self._now_utc(), exc, uniform=self._uniform())
