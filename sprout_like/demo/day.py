"""The day whose intensities the demonstration goes through: the last 24 hours of Great Britain, or a modelled one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grid import GridError, Series, Source, bundled_day, open_source

__all__ = ["Day", "load_day"]

_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Day:
    """A day of readings.

    Attributes:
        series: readings over 24 hours, without gaps.
        label: where they come from, in words that are printed above every figure.
    """

    series: Series
    label: str

    def at_hour(self, hour: float) -> datetime:
        """The moment that many hours into the day."""
        return self.series[0].start_utc + timedelta(hours=hour)


def load_day(
    now_utc: Callable[[], datetime], *, offline: bool = False, source: Source | str = "uk", wait_s: float = _WAIT_S
) -> Day:
    """The last 24 hours from the live source where it answers within `wait_s`, else the bundled day.

    Args:
        now_utc: clock.
        offline: do not ask the live source.
        source: who is asked.
        wait_s: longest wait, in s.
    """
    now = now_utc()
    if not offline:
        live = _within(wait_s, lambda: _last_day(open_source(source), now))
        if live is not None:
            return live
    return Day(bundled_day(now.date(), now), "MODELLED: a bundled day shaped like Great Britain's, not measured")


def _last_day(source: Source, now: datetime) -> Day | None:
    """None where the source fails or does not know some of the hours."""
    start = now - timedelta(hours=24)
    try:
        series = Series(r for r in source.history("GB", start, now) if r.start_utc >= start)
    except GridError:
        return None
    finally:
        source.close()
    if not len(series):
        return None
    day = Day(series, f"live: {series[0].source}, {series[0].start_utc:%Y-%m-%d %H:%M} UTC and 24 h on")
    return day if all(series.at(day.at_hour(hour)) for hour in range(24)) else None


def _within(wait_s: float, ask: Callable[[], Day | None]) -> Day | None:
    import threading

    answer: list[Day | None] = []
    asking = threading.Thread(target=lambda: answer.append(ask()), daemon=True)
    asking.start()
    asking.join(wait_s)
    return answer[0] if answer else None
