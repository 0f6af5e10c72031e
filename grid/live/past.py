"""What lies behind, for one source and zone: from memory and disk, and only what is missing from the source."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grid.errors import BadData, NoData, SourceError
from grid.intensity import Intensity, Series
from grid.live.asking import ask_series
from grid.live.cache import CacheKey, DiskCache
from grid.live.merging import merged, of_one_source
from grid.source import Source

__all__ = ["Past"]

# Providers replace estimates by measured figures within hours; what they say after two days they go on saying.
_SETTLED_AFTER = timedelta(days=2)
# A gap that the source left two days later is asked about once a day.
_ASK_SETTLED_AGAIN = timedelta(days=1)
# One question about a day costs less than two about parts of it.
_JOIN_WITHIN = timedelta(days=1)

_Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Answered:
    """A span that the source was asked about, and answered."""

    start_utc: datetime
    end_utc: datetime
    asked_utc: datetime


class Past:
    """What one source said of one zone. May be used from several threads; each may wait for the source.

    Args:
        source: whom to ask for what is missing.
        zone: canonical zone name.
        cache: where readings are kept beyond this process; None for memory only.
        keep: for how long readings are held in memory.
    """

    def __init__(
        self, source: Source, zone: str, cache: DiskCache | None = None, *, keep: timedelta = timedelta(days=30)
    ) -> None:
        self._source = source
        self._zone = zone
        self._cache = cache
        self._keep = keep
        self._key = CacheKey(source.name, zone, source.kind, source.factors)
        self._lock = threading.Lock()
        self._memory = Series(())
        self._answered: tuple[_Answered, ...] = ()

    def add(self, readings: Iterable[Intensity], now_utc: datetime) -> None:
        """Remember what the source said, here and on disk."""
        told = list(readings)
        if self._cache is not None:
            self._cache.store(self._source.name, told)
        self._remember((r for r in told if (r.kind, r.factors) == (self._key.kind, self._key.factors)), now_utc)

    def known(self, start_utc: datetime, end_utc: datetime) -> Series:
        """What memory and disk hold of [start_utc, end_utc)."""
        return merged([*self._stored(start_utc, end_utc), *self._memory.between(start_utc, end_utc)])

    def recall(
        self, start_utc: datetime, end_utc: datetime, now_utc: datetime, *, ask: bool = True
    ) -> tuple[Series, SourceError | None]:
        """What is known of [start_utc, end_utc) after asking the source for what was missing, up to now.

        Estimates, forecasts and what a chain's later member said count as missing until two days after their span,
        when what the source says is final. Where the members of a chain would stand beside one another, only the
        readings of the one that has most are given (docs/decisions/0016-chains-do-not-mix.md).

        Returns:
            The readings, with gaps where nothing is known; and why they are not all, None where nothing was in the way.
        """
        end_utc = min(end_utc, now_utc)
        known = self._memory.between(start_utc, end_utc)
        # The disk is read only where memory is silent: a month of 5-minute readings takes long to parse.
        found = [r for span in self._missing(known, start_utc, end_utc, now_utc) for r in self._stored(*span)]
        known = merged([*known, *found])
        gained: list[Intensity] = []
        problem: SourceError | None = None
        for first, last in self._missing(known, start_utc, end_utc, now_utc) if ask else ():
            try:
                gained += self._ask(first, last)
            except NoData as exc:
                problem = exc
            except SourceError as exc:
                problem = exc
                break  # the next question would be met with the same
            with self._lock:
                recent = (a for a in self._answered if timedelta(0) <= now_utc - a.asked_utc < _ASK_SETTLED_AGAIN)
                self._answered = (*recent, _Answered(first, last, now_utc))
        if found:
            self._remember(found, now_utc)
        if gained:
            self.add(gained, now_utc)
        everything = merged([*known, *gained]).between(start_utc, end_utc)
        if not any(reading.passed_over for reading in everything):
            return everything, problem
        one = of_one_source(everything)
        if len(one) < len(everything) and problem is None:
            problem = NoData(f"{self._source.name}: others than {one[0].source} know more, which does not add up")
        return one, problem

    def _remember(self, readings: Iterable[Intensity], now_utc: datetime) -> None:
        with self._lock:
            self._memory = Series(r for r in merged([*self._memory, *readings]) if r.end_utc > now_utc - self._keep)

    def _stored(self, start_utc: datetime, end_utc: datetime) -> Series:
        return self._cache.readings(self._key, start_utc, end_utc) if self._cache is not None else Series(())

    def _ask(self, start_utc: datetime, end_utc: datetime) -> Series:
        series = ask_series(self._source, "history", self._zone, start_utc, end_utc)
        if (series[0].kind, series[0].factors) != (self._key.kind, self._key.factors):
            raise BadData(
                f"{self._source.name}: its history is {series[0].kind}, {series[0].factors}, and cannot be put "
                f"together with readings that are {self._key.kind}, {self._key.factors}"
            )
        return series

    def _missing(self, known: Series, start_utc: datetime, end_utc: datetime, now_utc: datetime) -> list[_Span]:
        slot = timedelta(seconds=self._source.slot_s)
        gaps: list[_Span] = []
        reached = start_utc
        for reading in known:
            if _is_final(reading):
                if reading.start_utc > reached:
                    gaps.append((reached, reading.start_utc))
                reached = max(reached, reading.end_utc)
        # The slot that holds now has not ended: its history is yet to be written.
        if end_utc > reached and not (end_utc == now_utc and now_utc - reached < slot):
            gaps.append((reached, end_utc))
        asked: list[_Span] = []
        for first, last in gaps:
            if self._was_answered(first, last, now_utc, slot):
                continue
            if asked and first - asked[-1][1] < _JOIN_WITHIN:
                first = asked.pop()[0]
            asked.append((first, last))
        return asked

    def _was_answered(self, first: datetime, last: datetime, now_utc: datetime, slot: timedelta) -> bool:
        """Whether the source was asked about all of that span so lately that it has nothing new to say."""
        for answered in self._answered:
            since = now_utc - answered.asked_utc
            again = _ASK_SETTLED_AGAIN if answered.asked_utc - last > _SETTLED_AFTER else slot
            if answered.start_utc <= first and last <= answered.end_utc and timedelta(0) <= since < again:
                return True
        return False


def _is_final(reading: Intensity) -> bool:
    if reading.fetched_at_utc - reading.end_utc >= _SETTLED_AFTER:
        return True
    return reading.status in ("actual", "static") and not reading.passed_over
