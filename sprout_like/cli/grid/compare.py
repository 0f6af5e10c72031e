"""Zones side by side, cleanest first; what counts different things stands in tables of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from grid import GridError, Intensity, Series, Source
from grid.live.asking import ask_latest, ask_series, check_covers
from sprout_like.cli.grid.figures import Summary, summarise
from sprout_like.cli.grid.plot import sparkline
from sprout_like.cli.grid.screen import Screen, figure, said
from sprout_like.cli.grid.times import in_words

__all__ = ["Comparison", "Row", "as_data", "find", "show"]

Direction = Literal["next", "last"]

_SPARK = 20
_NARROW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A zone.

    Attributes:
        now: its latest reading; None where there is none, and `reason` says why.
        series: the hours that are compared. summary: what they come to. Both None where nothing is known of them.
        reason: what is missing and why; None where nothing is.
    """

    zone: str
    now: Intensity | None = None
    series: Series | None = None
    summary: Summary | None = None
    reason: str | None = None

    @property
    def counts(self) -> str:
        """What its figures count; empty where it has none."""
        one = self.now or (self.summary and self.summary.lowest)
        return said(one) if one else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The zones, cleanest first, over [start_utc, end_utc): the next hours, or the last of a source without forecast.

    Attributes:
        direction: which of the two; None where the source has neither.
    """

    start_utc: datetime
    end_utc: datetime
    direction: Direction | None
    rows: tuple[Row, ...]


def find(source: Source, zones: Iterable[str], now_utc: datetime, hours: timedelta) -> Comparison:
    """Ask for every zone; where one fails the others go on."""
    direction: Direction | None = "next" if "forecast" in source.can else "last" if "history" in source.can else None
    start, end = (now_utc - hours, now_utc) if direction == "last" else (now_utc, now_utc + hours)
    rows = [_row(source, zone, now_utc, direction, start, end) for zone in dict.fromkeys(zones)]
    return Comparison(start_utc=start, end_utc=end, direction=direction, rows=tuple(sorted(rows, key=_order)))


def _row(
    source: Source, zone: str, now_utc: datetime, direction: Direction | None, start_utc: datetime, end_utc: datetime
) -> Row:
    now: Intensity | None = None
    try:
        check_covers(source, zone)
        now = ask_latest(source, zone, now_utc)
        if direction is None:
            return Row(zone=zone, now=now)
        asked: Literal["forecast", "history"] = "forecast" if direction == "next" else "history"
        series = ask_series(source, asked, zone, start_utc, end_utc)
    except GridError as exc:
        return Row(zone=zone, now=now, reason=str(exc).removeprefix("zone: "))
    summary = summarise(series, start_utc, end_utc)
    if summary is not None and said(summary.lowest) != said(now):
        reason = f"its {direction} hours count {said(summary.lowest)}, its reading {said(now)}"
        return Row(zone=zone, now=now, reason=reason)
    return Row(zone=zone, now=now, series=series, summary=summary)


def _order(row: Row) -> tuple[str, bool, float, str]:
    if row.summary is not None:
        return row.counts, False, row.summary.mean_g_per_kwh, row.zone
    return row.counts, True, row.now.g_per_kwh if row.now else 0.0, row.zone


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The same for machines."""
    return {
        "start_utc": comparison.start_utc,
        "end_utc": comparison.end_utc,
        "direction": comparison.direction,
        "zones": [
            {
                "zone": row.zone,
                "now": None if row.now is None else asdict(row.now),
                "summary": None if row.summary is None else asdict(row.summary),
                "reason": row.reason,
            }
            for row in comparison.rows
        ],
    }


def show(screen: Screen, comparison: Comparison) -> None:
    """Print a table per thing that is counted, then the zones for which something is missing."""
    start, end = comparison.start_utc, comparison.end_utc
    tables = [(counts, list(rows)) for counts, rows in groupby(comparison.rows, key=lambda row: row.counts) if counts]
    for counts, rows in tables:
        screen.title(f"g/kWh, {counts}; cleanest first")
        _show_rows(screen, comparison, rows)
    if comparison.direction is not None and tables:
        hours = f"{comparison.direction} {in_words((end - start).total_seconds())}"
        screen.text(f"mean, lowest and highest: the {hours}, {screen.times.span(start, end)}", "dim")
    if len(tables) > 1:
        screen.text("The tables count different things: compare within a table, not across.")
    for row in comparison.rows:
        if row.reason:
            screen.text(f"{row.zone}: {row.reason}")


def _show_rows(screen: Screen, comparison: Comparison, rows: list[Row]) -> None:
    headings = ["zone", "now", "mean", "lowest", "highest"]
    cells = [[row.zone, figure(row.now.g_per_kwh if row.now else None), *_figures(row.summary)] for row in rows]
    if screen.width >= _NARROW:
        headings += ["status", "hour by hour"]
        top = max((row.summary.highest.g_per_kwh for row in rows if row.summary), default=0.0)
        for row, line in zip(rows, cells, strict=True):
            line += [row.now.status if row.now else "", _spark(screen, comparison, row, top)]
    screen.table(headings, cells, figures=range(1, 5))


def _spark(screen: Screen, comparison: Comparison, row: Row, top: float) -> str:
    if row.series is None:
        return ""
    start, end = comparison.start_utc, comparison.end_utc
    return sparkline(row.series, start, end, width=_SPARK, top=top, glyphs=screen.glyphs)


def _figures(summary: Summary | None) -> tuple[str, str, str]:
    if summary is None:
        return (figure(None),) * 3
    return figure(summary.mean_g_per_kwh), figure(summary.lowest.g_per_kwh), figure(summary.highest.g_per_kwh)
