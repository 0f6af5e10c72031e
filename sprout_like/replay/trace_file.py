"""A trace of the grid's intensity, from a CSV or Parquet file, and the extremes of its year."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sprout_like.errors import NothingToLearn

if TYPE_CHECKING:
    from directives.replay import Year
    from directives.replay.data import Floats

__all__ = ["DIRECT", "Trace", "read_trace", "year_of"]

DIRECT: Final = "direct_g_per_kwh"
"""Column that SPROUT used: average intensity of what is burnt, without life-cycle factors."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Hourly intensities without a gap.

    Attributes:
        file, column: where they are from.
        start_utc: start of the first hour of the window.
        past_g_per_kwh, g_per_kwh: before the window, as far as there is no gap, and in it.
        all_g_per_kwh: all figures of the file.
    """

    file: Path
    column: str
    start_utc: datetime
    past_g_per_kwh: Floats
    g_per_kwh: Floats
    all_g_per_kwh: Floats


def read_trace(file: Path, column: str, start_hour: int, hours: int) -> Trace:
    """Read `hours` hours from the file's `start_hour`-th on, counted from its first.

    Raises:
        NothingToLearn: a column is missing, a figure is impossible, the rows are not an hour apart, or the window
            has a gap or ends after the trace.
        GridError: it cannot be read at all.
    """
    import numpy as np

    known = _hourly(file, column)
    first, last = min(known), max(known)
    length = int((last - first) / _HOUR) + 1
    if start_hour + hours > length:
        raise NothingToLearn(
            f"{file}: it has {length} hours, and the window ends at hour {start_hour + hours}; "
            "ask for fewer --hours, begin earlier by --start-hour, or give a longer trace"
        )
    start = first + start_hour * _HOUR
    window = [known.get(start + i * _HOUR) for i in range(hours)]
    figures = [value for value in window if value is not None]
    if len(figures) < hours:
        gap = start + window.index(None) * _HOUR
        raise NothingToLearn(
            f"{file}: column {column} has a gap at {gap:%Y-%m-%dT%H:%MZ}; fill it, or choose a window without one"
        )
    past: list[float] = []
    while (before := known.get(start - (len(past) + 1) * _HOUR)) is not None:
        past.append(before)
    return Trace(
        file=file,
        column=column,
        start_utc=start,
        past_g_per_kwh=np.array(past[::-1], dtype=float),
        g_per_kwh=np.array(figures),
        all_g_per_kwh=np.array([value for value in known.values() if value is not None]),
    )


def year_of(trace: Trace) -> tuple[Year, str]:
    """Extremes and mean of the trace's year, which SPROUT is told in advance, and where they come from.

    Of the direct intensity from `year_YYYY_summary.csv` beside the trace where that names the trace's zone; else from
    the trace alone.

    Raises:
        NothingToLearn: the summary names the zone, but not its extremes and mean.
    """
    from directives.replay import Year

    summary = trace.file.with_name(f"year_{trace.start_utc:%Y}_summary.csv")
    zone = trace.file.name.partition(".")[0].rpartition("_")[0]
    if trace.column == DIRECT and summary.is_file():
        try:
            with summary.open(encoding="utf-8-sig", newline="") as lines:
                row = next((row for row in csv.DictReader(lines) if row.get("zone") == zone), None)
            if row is not None:
                lowest, highest, mean = (float(row[f"year_{name}_g_per_kwh"]) for name in ("min", "max", "mean"))
                return Year(lowest_g_per_kwh=lowest, highest_g_per_kwh=highest, mean_g_per_kwh=mean), summary.name
        except (OSError, ValueError, TypeError, KeyError, csv.Error) as exc:
            raise NothingToLearn(
                f"{summary}: it tells no year_min_, year_max_ and year_mean_g_per_kwh of zone {zone} ({exc!r}); "
                "repair it or take it away"
            ) from exc
    values = trace.all_g_per_kwh
    year = Year(
        lowest_g_per_kwh=float(values.min()),
        highest_g_per_kwh=float(values.max()),
        mean_g_per_kwh=float(values.mean()),
    )
    return year, "the trace itself"


def _hourly(file: Path, column: str) -> dict[datetime, float | None]:
    """Intensity of every hour that has a row; None where its cell is empty."""
    from grid.sources.trace_csv import csv_table
    from grid.sources.trace_parquet import parquet_table

    parquet = file.suffix.lower() == ".parquet"
    table = parquet_table(file, {"time_utc", column}) if parquet else csv_table(file)
    for name in ("time_utc", column):
        if name not in table.header:
            raise NothingToLearn(f"{file}: there is no column {name}; it has {', '.join(table.header) or 'none'}")
    known: dict[datetime, float | None] = {}
    for row in table.rows:
        stamp, cell = _stamp(row.where, row.cells["time_utc"]), row.cells[column]
        if stamp in known:
            raise NothingToLearn(f"{row.where}: {stamp:%Y-%m-%dT%H:%MZ} is there twice; give each hour once, in UTC")
        known[stamp] = None if cell is None else _figure(row.where, column, cell)
    if all(value is None for value in known.values()):
        raise NothingToLearn(f"{file}: column {column} holds no figure; name another by --column")
    steps = list(pairwise(sorted(known)))
    coarse = steps and min(later - earlier for earlier, later in steps) > _HOUR
    for earlier, later in steps:
        if coarse or (later - earlier) % _HOUR:
            after = f"after {earlier:%Y-%m-%dT%H:%MZ} comes {later:%Y-%m-%dT%H:%MZ}"
            raise NothingToLearn(f"{file}: its rows are not an hour apart ({after}); give the mean of each hour")
    return known


def _stamp(where: str, cell: object) -> datetime:
    try:
        stamp = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
    except ValueError as exc:
        given = "empty" if cell is None else repr(cell)
        raise NothingToLearn(f"{where}: time_utc is {given}; give an ISO 8601 time in UTC") from exc
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def _figure(where: str, column: str, cell: object) -> float:
    try:
        value = float(str(cell))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise NothingToLearn(f"{where}: {column} is {cell!r}; give g CO2e/kWh, or leave it empty where unknown")
    return value
