"""The reading by which requests would go now, and how it compares with the hours around it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from grid import Grid, Intensity, Look, Series, SourceError
from sprout_like.cli.grid.figures import Standing, Summary, standing, summarise
from sprout_like.cli.grid.screen import Screen, figure, said
from sprout_like.cli.grid.times import in_words

__all__ = ["Hours", "Now", "as_data", "find", "show"]

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The last or the next 24 h beside the reading.

    Attributes:
        standing: how the reading compares with them. summary: what they come to. source: whose figures they are. All
            None where nothing is known.
        reason: why nothing is known, or None.
    """

    standing: Standing | None = None
    summary: Summary | None = None
    source: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """What is known of this moment; `last` and `next` are None where there is no reading to compare."""

    zone: str
    now_utc: datetime
    look: Look
    last: Hours | None
    next: Hours | None


def find(grid: Grid, now_utc: datetime) -> Now:
    """Ask for the reading, then for the hours around it."""
    try:
        grid.prime()
    except SourceError as exc:  # a key that is refused: here it is one more reason why there is no reading
        return Now(grid.zone, now_utc, Look(None, False, str(exc)), None, None)
    look = grid.look()
    if look.intensity is None:
        return Now(grid.zone, now_utc, look, None, None)
    return Now(grid.zone, now_utc, look, _last(grid, look.intensity, now_utc), _next(grid, look.intensity, now_utc))


def _last(grid: Grid, reading: Intensity, now_utc: datetime) -> Hours:
    start_utc = now_utc - _DAY
    try:
        series = grid.history(start_utc, now_utc)
    except SourceError as exc:
        return Hours(reason=str(exc))
    return _hours(reading, series, start_utc, now_utc)


def _next(grid: Grid, reading: Intensity, now_utc: datetime) -> Hours:
    grid.refresh_outlook()
    outlook = grid.outlook()
    if outlook.series is None:
        return Hours(reason=outlook.reason)
    return _hours(reading, outlook.series, now_utc, now_utc + _DAY)


def _hours(reading: Intensity, series: Series, start_utc: datetime, end_utc: datetime) -> Hours:
    summary = summarise(series, start_utc, end_utc)
    if summary is None:
        return Hours(reason="nothing is known of them")
    if summary.lowest == summary.highest == reading and summary.known_s < summary.asked_s:
        return Hours(reason="of them only this reading is known")
    source = ", ".join(sorted({r.source for r in series.between(start_utc, end_utc)}))
    if said(summary.lowest) != said(reading):
        return Hours(reason=f"{source} gives {said(summary.lowest)}, which cannot be compared")
    return Hours(standing=standing(reading.g_per_kwh, series, start_utc, end_utc), summary=summary, source=source)


def as_data(now: Now) -> dict[str, Any]:
    """The same for machines."""
    return {
        "zone": now.zone,
        "now_utc": now.now_utc,
        "reading": None if now.look.intensity is None else asdict(now.look.intensity),
        "stale": now.look.stale,
        "reason": now.look.reason,
        "last_24_h": None if now.last is None else asdict(now.last),
        "next_24_h": None if now.next is None else asdict(now.next),
    }


def show(screen: Screen, now: Now, reading: Intensity) -> None:
    """Print a reading that there is."""
    stale = ", stale" if now.look.stale else ""
    screen.title(f"{now.zone}: {figure(reading.g_per_kwh)} g/kWh ({said(reading)}, {reading.status}{stale})")
    facts = [("span", screen.times.span(reading.start_utc, reading.end_utc))]
    if reading.status == "static":
        facts.append(("source", f"{reading.source}: one figure for every hour"))
    else:
        asked = in_words(max(0.0, (now.now_utc - reading.fetched_at_utc).total_seconds()))
        facts.append(("source", f"{reading.source}, fetched {asked} ago"))
    facts += [("passed over", reason) for reason in reading.passed_over]
    if now.look.reason and (now.look.stale or not reading.passed_over):
        facts.append(("note", now.look.reason))
    for name, hours in (("last 24 h", now.last), ("next 24 h", now.next)):
        if hours is not None:
            facts.append((name, _in_words(hours)))
    screen.facts(facts)


def _in_words(hours: Hours) -> str:
    if hours.summary is None or hours.standing is None:
        return f"unknown: {hours.reason}"
    above, below, summary = hours.standing.above, hours.standing.below, hours.summary
    if not above and not below:
        return f"the same all the time ({hours.source})"
    compared = f"lower than {100 * above:.0f} %" if above >= below else f"higher than {100 * below:.0f} %"
    range_ = f"{figure(summary.lowest.g_per_kwh)} to {figure(summary.highest.g_per_kwh)}"
    missing_s = summary.asked_s - summary.known_s
    missing = f"; {in_words(missing_s)} unknown" if missing_s >= 60 else ""
    return f"now is {compared} of it; mean {figure(summary.mean_g_per_kwh)}, {range_}{missing} ({hours.source})"
