"""The hours that lie behind, and the file from which they can be played back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from grid import Grid, NoData, Series
from sprout_like.cli.grid.figures import Summary, summarise
from sprout_like.cli.grid.screen import Screen, said
from sprout_like.errors import SettingError

__all__ = ["History", "as_data", "find", "show", "write_trace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a span that lies behind; `summary` is what it comes to."""

    zone: str
    start_utc: datetime
    end_utc: datetime
    series: Series
    summary: Summary


def find(grid: Grid, start_utc: datetime, end_utc: datetime) -> History:
    """Ask for it.

    Raises:
        SourceError: there is none.
    """
    series = grid.history(start_utc, end_utc)
    summary = summarise(series, start_utc, end_utc)
    if summary is None:
        raise NoData(f"{grid.source.name}: nothing is known of {start_utc} to {end_utc}")
    return History(zone=grid.zone, start_utc=start_utc, end_utc=end_utc, series=series, summary=summary)


def as_data(history: History) -> dict[str, Any]:
    """The same for machines."""
    return {
        "zone": history.zone,
        "start_utc": history.start_utc,
        "end_utc": history.end_utc,
        "summary": asdict(history.summary),
        "readings": [asdict(reading) for reading in history.series],
    }


def show(screen: Screen, history: History) -> None:
    """Print it."""
    first, start, end = history.series[0], history.start_utc, history.end_utc
    screen.title(f"{history.zone}: {screen.times.span(start, end)}")
    screen.plot(history.series, start, end)
    shares = sorted(history.summary.shares.items(), key=lambda item: -item[1])
    screen.facts(
        [
            *screen.summary(history.summary),
            ("of these", ", ".join(f"{_percent(share)} {status}" for status, share in shares)),
            ("counts", said(first)),
            ("source", ", ".join(sorted({reading.source for reading in history.series}))),
            *(("passed over", reason) for reason in first.passed_over),
        ]
    )


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def write_trace(history: History, file: Path) -> None:
    """Write the readings as a trace, which `trace:FILE` plays back.

    Raises:
        SettingError: a trace cannot hold them, or the file cannot be written.
    """
    series = list(history.series)
    steps = [after.start_utc - before.start_utc for before, after in pairwise(series)]
    # A trace's slots are as long as its smallest step.
    if not steps or any(reading.end_utc - reading.start_utc != min(steps) for reading in series):
        raise SettingError("--csv", "a trace needs two slots or more, all of one length", "Choose another span")
    if series[0].kind != "average":
        raise SettingError("--csv", f"a trace is average, and this is {series[0].kind}", "Use --json")
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(_rows(series))
    except OSError as exc:
        raise SettingError("--csv", f"cannot write {file}: {exc.strerror}", "Name a file in a folder of yours") from exc


def _rows(series: list[Any]) -> Iterator[list[Any]]:
    yield ["time_utc", f"{series[0].factors}_g_per_kwh", "status", "zone", "source"]
    for reading in series:
        stamp = f"{reading.start_utc:%Y-%m-%dT%H:%M:%SZ}"
        yield [stamp, reading.g_per_kwh, reading.status, reading.zone, reading.source]
