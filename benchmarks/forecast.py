"""`python -m benchmarks.forecast FOLDER [--every H]`: our forecast against simple ones, on every trace in the folder.

Rolling origin: from the 31st day on, a forecast every H hours from the 30 days before, by figures that were known then.
A lead of h hours is the h-th hour after the last known one. Every method sees the same history:

    same hour yesterday     the newest known figure of that hour of the day: 24 h before, at a lead of 48 h 48 h before
    same hour last week     168 h before
    last and profile        the last figure, fading (12 h) into the mean of that hour over the last 7 days
    Holt-Winters            additive, daily season, without trend; smoothing 0.2 (level) and 0.2 (season)

The constants of the model were chosen on these traces and on synthetic zones, so a win here is no held-out evidence.
The forecast leans below its median, as MAPE rewards: `bias_pct` says how far.

MAPE leaves out hours of 0 g/kWh (none of them in these traces, and the count is told); WAPE is Σ|error| / Σ actual.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import percentiles, timed, write_result
from grid import Intensity, Series
from grid.forecasting import forecast_from
from grid.forecasting.hours import Floats

HOUR = timedelta(hours=1)
HISTORY_H = 720
LEADS_H = (1, 6, 24, 48)
COLUMNS = ("direct", "lifecycle")
OURS = "sprout-like"
ROUNDS = 50

Method = Callable[[Floats], Floats]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description="Our forecast against simple ones")
    parser.add_argument("traces", type=Path, help="folder of traces: CSV with direct_ and lifecycle_g_per_kwh by hour")
    parser.add_argument("--every", type=int, default=7, help="hours from origin to origin (default 7, prime to 24)")
    options = parser.parse_args()
    traces = {
        f"{path.name.partition('.')[0]} {column}": read(path, column)
        for path in sorted(options.traces.glob("*_*.csv*"))
        for column in COLUMNS
        if f"{column}_g_per_kwh" in header(path)
    }
    results = {name: score(trace, options.every) for name, trace in traces.items()}
    ratios = {
        f"{lead}h": [result[f"{lead}h"]["mape_over_best_naive"] for result in results.values()] for lead in LEADS_H
    }
    write_result(
        "forecast",
        {
            "origins_every_h": options.every,
            "fit_and_96_h": cost(next(iter(traces.values()))),
            "mape_over_best_naive": {
                lead: {"mean": round(statistics.geometric_mean(each), 3), "worst": max(each)}
                for lead, each in ratios.items()
            },
            "bias_pct": {
                f"{lead}h": round(
                    statistics.mean(result[f"{lead}h"][OURS]["bias_pct"] for result in results.values()), 2
                )
                for lead in LEADS_H
            },
            "wanted": "mape_over_best_naive < 1 everywhere, within_interval_pct 70 to 90, p50 of a fit ≤ 50 ms",
            "traces": results,
        },
    )


def header(path: Path) -> list[str]:
    """The names of a trace's columns."""
    return next(_rows(path))


def read(path: Path, column: str) -> Series:
    """A trace's column, plain or gzipped."""
    rows = _rows(path)
    names = next(rows)
    time, figure = names.index("time_utc"), names.index(f"{column}_g_per_kwh")
    starts = [(datetime.fromisoformat(row[time]).astimezone(UTC), float(row[figure])) for row in rows]
    return Series(
        Intensity(
            zone=path.name.partition("_")[0],
            start_utc=start,
            end_utc=start + HOUR,
            g_per_kwh=g_per_kwh,
            kind="average",
            factors="lifecycle" if column == "lifecycle" else "direct",
            status="actual",
            source=path.name,
            fetched_at_utc=start + HOUR,
        )
        for start, g_per_kwh in starts
    )


def _rows(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from csv.reader(file)


@dataclass
class Misses:
    """What a method forecast at a lead, beside what came."""

    forecast: list[float] = field(default_factory=list)
    actual: list[float] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """MAPE, WAPE and signed bias (Σ error / Σ actual) in %, MAE in g/kWh."""
        forecast, actual = np.array(self.forecast), np.array(self.actual)
        error, some = np.abs(forecast - actual), actual > 0
        return {
            "mape_pct": round(float((error[some] / actual[some]).mean() * 100), 2),
            "wape_pct": round(float(error.sum() / actual.sum() * 100), 2),
            "bias_pct": round(float((forecast - actual).sum() / actual.sum() * 100), 2),
            "mae_g_per_kwh": round(float(error.mean()), 2),
        }


def score(trace: Series, every: int) -> dict[str, Any]:
    """All methods on a trace, by lead."""
    readings = list(trace)
    figures = np.array([reading.g_per_kwh for reading in readings])
    misses = {lead: {name: Misses() for name in (*SIMPLE, OURS)} for lead in LEADS_H}
    held: dict[int, list[bool]] = {lead: [] for lead in LEADS_H}
    origins = range(HISTORY_H, len(readings) - max(LEADS_H) + 1, every)
    for origin in origins:
        issued = readings[origin - 1].end_utc
        ours = forecast_from(
            Series(readings[origin - HISTORY_H : origin]),
            start_utc=issued,
            end_utc=issued + max(LEADS_H) * HOUR,
            issued_utc=issued,
        )
        known = figures[origin - HISTORY_H : origin]
        simple = {name: method(known) for name, method in SIMPLE.items()}
        for lead in LEADS_H:
            actual = float(figures[origin + lead - 1])
            for name, misses_of in misses[lead].items():
                made = ours[lead - 1].g_per_kwh if name == OURS else float(simple[name][lead - 1])
                misses_of.forecast.append(made)
                misses_of.actual.append(actual)
            low, high = ours[lead - 1].low_g_per_kwh, ours[lead - 1].high_g_per_kwh
            held[lead].append(low is not None and high is not None and low <= actual <= high)
    return {
        "origins": len(origins),
        "hours_of_0": int((figures == 0).sum()),
        **{f"{lead}h": _at_lead(misses[lead], held[lead]) for lead in LEADS_H},
    }


def _at_lead(misses: dict[str, Misses], held: list[bool]) -> dict[str, Any]:
    told = {name: each.told() for name, each in misses.items()}
    naive = min(told[name]["mape_pct"] for name in NAIVE)
    return {
        "mape_over_best_naive": round(told[OURS]["mape_pct"] / naive, 3),
        "within_interval_pct": round(100 * statistics.mean(held), 1),
        **told,
    }


def cost(trace: Series) -> dict[str, float]:
    """Time of a fit and a forecast of 96 h from the first 30 days."""
    history = trace.between(trace[0].start_utc, trace[HISTORY_H - 1].end_utc)
    issued = history[-1].end_utc

    def fit() -> Series:
        return forecast_from(history, start_utc=issued, end_utc=issued + 96 * HOUR, issued_utc=issued)

    fit()
    return percentiles([timed(fit) for _ in range(ROUNDS)])


def same_hour(period_h: int) -> Method:
    """The newest known figure a whole number of periods before."""

    def method(known: Floats) -> Floats:
        return known[-period_h:][np.arange(max(LEADS_H)) % period_h]

    return method


def last_and_profile(known: Floats) -> Floats:
    """The last figure, fading into the mean of that hour of the day."""
    ahead = np.arange(max(LEADS_H))
    profile = known[-168:].reshape(7, 24).mean(axis=0)
    return profile[ahead % 24] + (known[-1] - profile[-1]) * np.exp(-(ahead + 1) / 12)


def holt_winters(known: Floats) -> Floats:
    """Additive Holt-Winters with a daily season and without trend."""
    level, season = known[:24].mean(), known[:24] - known[:24].mean()
    for n, figure in enumerate(known[24:]):
        hour = n % 24
        before = level
        level = 0.2 * (figure - season[hour]) + 0.8 * before
        season[hour] = 0.2 * (figure - level) + 0.8 * season[hour]
    return level + season[np.arange(max(LEADS_H)) % 24]


NAIVE = ("same hour yesterday", "same hour last week")
SIMPLE: dict[str, Method] = {
    "same hour yesterday": same_hour(24),
    "same hour last week": same_hour(168),
    "last and profile": last_and_profile,
    "Holt-Winters": holt_winters,
}


if __name__ == "__main__":
    main()
