"""The hours ahead, whose forecast they are, and when it is best to run something."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from grid import Grid, NoData, Series
from grid.errors import WindowError
from sprout_like.cli.grid.figures import Summary, summarise
from sprout_like.cli.grid.screen import Screen, figure, said
from sprout_like.cli.grid.times import in_words

__all__ = ["Forecast", "as_data", "find", "show"]


# Work of any power has its best time at the same moment.
_POWER_W = 1000.0


@dataclass(frozen=True, slots=True)
class Best:
    """The time at which something uninterrupted emits least.

    Attributes:
        mean_g_per_kwh: while it runs.
        at_once_g_per_kwh: if it ran now; None where that is unknown.
    """

    start_utc: datetime
    end_utc: datetime
    mean_g_per_kwh: float
    at_once_g_per_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What lies ahead of a zone.

    Attributes:
        series: as far as it reaches into [start_utc, end_utc). summary: what that comes to.
        reason: why it is not the source's own, or could not be renewed; None where neither.
        window_s: length of the stretch that is looked for, in s.
        window: the best one; None where no stretch of that length is wholly known.
    """

    zone: str
    start_utc: datetime
    end_utc: datetime
    series: Series
    summary: Summary
    reason: str | None
    window_s: float
    window: Best | None


def find(grid: Grid, now_utc: datetime, ahead: timedelta, length: timedelta) -> Forecast:
    """Ask for it.

    Args:
        grid: whom to ask.
        now_utc: where it begins.
        ahead: how far it is to reach.
        length: of the window.

    Raises:
        SourceError: there is none.
    """
    end_utc = now_utc + ahead
    grid.refresh_outlook()
    outlook = grid.outlook()
    if outlook.series is None:
        raise NoData(outlook.reason)
    series = outlook.series.between(now_utc, end_utc)
    summary = summarise(series, now_utc, end_utc)
    if summary is None:
        raise NoData(f"{grid.source.name}: nothing is known of the next {in_words(ahead.total_seconds())}")
    return Forecast(
        zone=grid.zone,
        start_utc=now_utc,
        end_utc=end_utc,
        series=series,
        summary=summary,
        window_s=length.total_seconds(),
        window=_best(series, now_utc, end_utc, length),
        reason=outlook.reason,
    )


def _best(series: Series, start_utc: datetime, end_utc: datetime, length: timedelta) -> Best | None:
    from grid.windows import Work, plan  # loads numpy

    hours = length / timedelta(hours=1)
    work = Work(duration_s=length.total_seconds(), power_w=_POWER_W, earliest_utc=start_utc, deadline_utc=end_utc)
    try:
        found = plan(work, series)
    except WindowError:
        return None
    (window,) = found.windows
    at_once = None if found.at_once_g is None else found.at_once_g / (hours * _POWER_W / 1000)
    return Best(window.start_utc, window.end_utc, found.mean_g_per_kwh, at_once)


def as_data(forecast: Forecast) -> dict[str, Any]:
    """The same for machines."""
    return {
        "zone": forecast.zone,
        "start_utc": forecast.start_utc,
        "end_utc": forecast.end_utc,
        "forecast_by": forecast.series[0].source,
        "reason": forecast.reason,
        "summary": asdict(forecast.summary),
        "window_s": forecast.window_s,
        "window": None if forecast.window is None else asdict(forecast.window),
        "readings": [asdict(reading) for reading in forecast.series],
    }


def show(screen: Screen, forecast: Forecast) -> None:
    """Print it."""
    first, start, end = forecast.series[0], forecast.start_utc, forecast.end_utc
    ahead = in_words((end - start).total_seconds())
    screen.title(f"{forecast.zone}: the next {ahead} ({said(first)}, times {screen.times.offsets(start, end)})")
    window = forecast.window
    screen.plot(forecast.series, start, end, None if window is None else (window.start_utc, window.end_utc))
    facts = screen.summary(forecast.summary)
    length = in_words(forecast.window_s)
    if window is None:
        facts.append((f"best {length}", "unknown: no stretch of that length is wholly known"))
    else:
        facts.append((f"best {length}", screen.times.span(window.start_utc, window.end_utc)))
        facts.append(("", f"{figure(window.mean_g_per_kwh)} g/kWh{_against_now(window)}"))
    asked = in_words(max(0.0, (start - first.fetched_at_utc).total_seconds()))
    facts.append(("forecast by", first.source if first.status == "static" else f"{first.source}, {asked} ago"))
    if forecast.reason:
        facts.append(("note", forecast.reason))
    if any(reading.low_g_per_kwh is not None for reading in forecast.series):
        facts.append(("shades", "where 80 % of what comes is expected to lie"))
    screen.facts(facts)


def _against_now(window: Best) -> str:
    at_once = window.at_once_g_per_kwh
    if not at_once:
        return ""
    less = 1 - window.mean_g_per_kwh / at_once
    if less < 0.005:
        return ", as good as beginning now"
    return f", {100 * less:.0f} % less than beginning now ({figure(at_once)})"
