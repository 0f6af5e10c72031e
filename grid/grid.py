"""The latest reading, in memory: what the request path looks at, and what somebody else refreshes.

There is no thread in here: whoever owns a `Grid` calls `refresh_if_due()` now and then
(docs/decisions/0002-grid-has-no-threads.md).
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grid.clock import UtcNow
from grid.errors import BadData, SourceDown, SourceError, SourceRefused
from grid.intensity import Intensity
from grid.source import Source

__all__ = ["Grid", "Look"]

logger = logging.getLogger("grid")

_uniform = random.SystemRandom().random

_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 15 * 60.0
# A daily quota may well say "come back tomorrow"; a header that says "in a year" is a mistake.
_LONGEST_RETRY_AFTER_S = 24 * 3600.0
# While the source still gives the slot that has ended, ask again ten times per slot.
_LATE_ASKS_PER_SLOT = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What is known about the intensity now.

    Attributes:
        intensity: the reading to go by; None where nothing is known, or nothing recent enough.
        stale: True where `intensity` is held beyond the end of its span.
        reason: why there is no reading, or why it is stale; None where neither.
    """

    intensity: Intensity | None
    stale: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class _State:
    """All that `look` needs, replaced as a whole, so that a reader never sees half of a change."""

    reading: Intensity | None = None
    problem: str | None = None
    failures: int = 0
    asked_utc: datetime | None = None
    due_utc: datetime | None = None


class Grid:
    """A source and a zone, with the last reading held in memory. One thread may refresh while others look.

    A reading is fresh until the end of its span, then stale for `hold_s`, then gone. A `static` figure describes no
    half hour in particular and is never stale. All waiting is counted on `now_utc`, so that a simulated clock drives
    the refreshes too.

    Args:
        source: whom to ask; closed with this object.
        zone: canonical zone name.
        now_utc: the clock.
        hold_s: for how long a reading is held beyond its span, in s.
        uniform: draws from [0, 1), to spread the retries of many processes in time.

    Raises:
        ZoneError: the source does not cover the zone.
    """

    def __init__(
        self,
        source: Source,
        zone: str,
        *,
        now_utc: UtcNow,
        hold_s: float = 3 * 3600.0,
        uniform: Callable[[], float] = _uniform,
    ) -> None:
        source.check_zone(zone)
        self.source = source
        self.zone = zone
        self._now_utc = now_utc
        self._hold_s = hold_s
        self._uniform = uniform
        self._state = _State()
        self._asking = threading.Lock()
        self._closed = False

    @property
    def latest_problem(self) -> str | None:
        """Why the last refresh failed; None where it did not, or there was none."""
        return self._state.problem

    def look(self) -> Look:
        """The reading to go by, from memory alone: no network, no disk, no lock."""
        state, now_utc = self._state, self._now_utc()
        reading = state.reading
        if reading is None:
            return Look(None, False, f"no reading yet: {state.problem or 'the source has not been asked'}")
        if reading.start_utc > now_utc:
            return Look(None, False, f"the reading begins {reading.start_utc}, after now: check this machine's clock")
        past_s = (now_utc - reading.end_utc).total_seconds()
        if past_s < 0:
            return Look(reading, False, None)
        why = state.problem or "not refreshed since"
        if past_s > self._hold_s:
            return Look(None, False, f"no reading for {_in_words(past_s)}: {why}")
        if reading.status == "static":
            return Look(reading, False, None)
        return Look(reading, True, f"the reading ended {_in_words(past_s)} ago: {why}")

    def prime(self) -> None:
        """Ask for the first time, at construction, where a wrong key can still be told to the user.

        Raises:
            SourceRefused: the source refused the key or the plan. Any other failure is a warning in the log.
        """
        with self._asking:
            self._ask(raise_refusal=True)

    def refresh(self) -> None:
        """Ask the source once. Where it fails, the reading is kept, and one warning per outage is logged."""
        with self._asking:
            self._ask()

    def refresh_if_due(self) -> None:
        """Refresh where a refresh makes sense now; returns at once where not, or where another thread is at it."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            if self.next_due_s() <= 0:
                self._ask()
        finally:
            self._asking.release()

    def next_due_s(self) -> float:
        """Seconds from now until a refresh makes sense; 0 where it is due.

        That is the end of the reading's span; or, after failures, a wait that doubles from 5 s to 15 min, or what the
        source asked for if that is longer.
        """
        state, now_utc = self._state, self._now_utc()
        if state.asked_utc is None or state.due_utc is None or now_utc < state.asked_utc:  # a clock set back
            return 0.0
        return max(0.0, (state.due_utc - now_utc).total_seconds())

    def close(self) -> None:
        """Close the source; safe to call twice. Later refreshes do nothing, and looking goes on."""
        self._closed = True
        self.source.close()

    def _ask(self, *, raise_refusal: bool = False) -> None:
        if self._closed:
            return
        try:
            reading = self.source.latest(self.zone, self._now_utc())
            self._check(reading)
        except SourceError as exc:
            if raise_refusal and isinstance(exc, SourceRefused):
                raise
            if not self._closed:  # a request that close() cut short is no outage
                self._failed(exc)
        else:
            self._answered(reading)

    def _check(self, reading: Intensity) -> None:
        if reading.zone != self.zone:
            raise BadData(f"{self.source.name}: asked for {self.zone}, got a reading for {reading.zone}")
        if reading.start_utc > self._now_utc():
            raise BadData(f"{self.source.name}: the reading begins {reading.start_utc}, in the future; check the clock")

    def _answered(self, reading: Intensity) -> None:
        before, now_utc = self._state, self._now_utc()
        left_s = (reading.end_utc - now_utc).total_seconds()
        wait_s = min(left_s, self.source.slot_s) if left_s > 0 else self.source.slot_s / _LATE_ASKS_PER_SLOT
        self._state = _State(
            reading=reading,
            asked_utc=now_utc,
            due_utc=now_utc + timedelta(seconds=wait_s),
        )
        if before.failures:
            logger.info("%s answers again, after %d failures", self.source.name, before.failures)

    def _failed(self, exc: SourceError) -> None:
        before, now_utc = self._state, self._now_utc()
        wait_s = self._backoff_s(before.failures, exc)
        self._state = _State(
            reading=before.reading,
            problem=str(exc),
            failures=before.failures + 1,
            asked_utc=now_utc,
            due_utc=now_utc + timedelta(seconds=wait_s),
        )
        if not before.failures:
            logger.warning(
                "no new reading for %s, requests go on with the last one or none: %s; asking again in %s",
                self.zone,
                exc,
                _in_words(wait_s),
            )

    def _backoff_s(self, earlier_failures: int, exc: SourceError) -> float:
        if isinstance(exc, SourceRefused):
            longest_s = _LAST_RETRY_S
        else:
            longest_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** min(earlier_failures + 1, 16))
        wait_s = longest_s / 2 * (1 + self._uniform())
        asked_s = exc.retry_after_s if isinstance(exc, SourceDown) else None
        return wait_s if asked_s is None else max(wait_s, min(asked_s, _LONGEST_RETRY_AFTER_S))


def _in_words(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
