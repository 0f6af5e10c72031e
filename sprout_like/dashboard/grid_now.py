"""The grid's intensity behind, now and ahead, asked for in the background and told from memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid import Grid, GridError, Intensity, Series, SourceError
from sprout_like.clock import Clock

__all__ = ["GridNow", "GridWatch", "Slot"]

_BEHIND: Final = timedelta(hours=24)
_AHEAD: Final = timedelta(hours=48)
_HISTORY_EVERY_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A reading for a plot; `low_g_per_kwh` and `high_g_per_kwh` are None where nobody gave an interval."""

    start_utc: datetime
    end_utc: datetime
    g_per_kwh: float
    low_g_per_kwh: float | None
    high_g_per_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GridNow:
    """What is known of the grid.

    Attributes:
        zone: canonical zone name. source: who is asked. Both None where no source could be set up.
        reading: to go by now; None where unknown.
        stale: whether it is held beyond its span.
        reason: why there is none, why it is stale or why another source gave it; None where none of these.
        behind: the last 24 h, as far as they were published with the reading's kind and factors.
        ahead: the next 48 h. ahead_reason: why there are none, or why they are not the source's own; else None.
    """

    zone: str | None
    source: str | None
    reading: Intensity | None
    stale: bool
    reason: str | None
    behind: Sequence[Slot] = ()
    ahead: Sequence[Slot] = ()
    ahead_reason: str | None = None


class GridWatch:
    """Refreshes a grid; `tick` may wait for the network, `now` never does.

    Args:
        open_grid: opens the grid of the settings; where it cannot, that is what there is to tell.
        clock: the time of day, and when the hours behind are asked for again.
    """

    def __init__(self, open_grid: Callable[[], Grid], clock: Clock) -> None:
        self._clock = clock
        self._grid: Grid | None = None
        self._problem: str | None = None
        self._behind: Series | None = None
        self._asked_s: float | None = None
        try:
            self._grid = open_grid()
        except GridError as exc:
            self._problem = str(exc)

    def tick(self) -> None:
        """Refresh what is due. Called about once a second, from one thread."""
        if self._grid is None:
            return
        self._grid.refresh_if_due()
        now_s = self._clock.monotonic_s()
        if self._asked_s is None or now_s - self._asked_s >= _HISTORY_EVERY_S:
            self._asked_s = now_s
            self._look_back(self._grid)

    def now(self) -> GridNow:
        """What is known, from memory alone."""
        grid = self._grid
        if grid is None:
            return GridNow(zone=None, source=None, reading=None, stale=False, reason=self._problem)
        look, outlook, now_utc = grid.look(), grid.outlook(), self._clock.now_utc()
        reading = look.intensity
        return GridNow(
            zone=grid.zone,
            source=grid.source.name,
            reading=reading,
            stale=look.stale,
            reason=look.reason or grid.latest_problem,
            behind=_slots(self._behind, now_utc - _BEHIND, now_utc, like=reading),
            ahead=_slots(outlook.series, now_utc, now_utc + _AHEAD, like=reading),
            ahead_reason=outlook.reason,
        )

    def close(self) -> None:
        """Close the source; safe to call twice."""
        if self._grid is not None:
            self._grid.close()

    def _look_back(self, grid: Grid) -> None:
        now_utc = self._clock.now_utc()
        try:
            self._behind = grid.history(now_utc - _BEHIND, now_utc)
        except SourceError:  # many sources have none, and of one that is down the reading tells
            self._behind = None


def _slots(series: Series | None, start_utc: datetime, end_utc: datetime, like: Intensity | None) -> list[Slot]:
    """Those of the reading's kind and factors: others cannot be drawn on one scale with it."""
    return [
        Slot(each.start_utc, each.end_utc, each.g_per_kwh, each.low_g_per_kwh, each.high_g_per_kwh)
        for each in (() if series is None else series.between(start_utc, end_utc))
        if like is None or (each.kind, each.factors) == (like.kind, like.factors)
    ]
