"""Planning 10,000 works over 96 hourly slots: each kind of work alone, and the even mix of all four."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from time import process_time

import numpy as np

from benchmarks.harness import timed, write_result
from grid.intensity import Intensity, Series
from grid.windows import Work, plan_many

ROUNDS = 7
WORKS = 10_000
_NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def main() -> None:
    """Measure and write the result."""
    rng = np.random.default_rng(0)
    series = _four_days(rng)
    one_run = [_work(rng) for _ in range(WORKS)]
    any_runs = [_work(rng, interruptible=True) for _ in range(WORKS)]
    warm_runs = [_work(rng, start_up=True) for _ in range(WORKS)]
    few_runs = [_work(rng, interruptible=True, start_up=True) for _ in range(WORKS)]
    four = (one_run, warm_runs, any_runs, few_runs)
    kinds = {
        "one_run": one_run,
        "one_run_with_start_up": warm_runs,
        "interruptible": any_runs,
        "interruptible_with_start_up": few_runs,
        "even_mix": [four[i % 4][i] for i in range(WORKS)],
    }
    result = {}
    for name, works in kinds.items():
        plan_many(works[:100], series)
        before_s = process_time()
        seconds = [timed(lambda works=works: plan_many(works, series)) for _ in range(ROUNDS)]
        cpu_s = (process_time() - before_s) / ROUNDS
        median = statistics.median(seconds)
        result[name] = {
            "works": len(works),
            "median_s": round(median, 3),
            "mean_cpu_s": round(cpu_s, 3),
            "per_work_us": round(median / len(works) * 1e6),
        }
    write_result(
        "windows", {"slots": len(series), "rounds": ROUNDS, "kinds": result, "wanted": "10,000 works in ≤ 1 s"}
    )


def _four_days(rng: np.random.Generator) -> Series:
    hours = np.arange(96)
    shape = 250 + 110 * np.sin(hours / 24 * 2 * np.pi) + 50 * np.sin(hours / 12 * 2 * np.pi + 1)
    return Series(
        Intensity(
            zone="GB",
            start_utc=_NOON + int(hour) * _HOUR,
            end_utc=_NOON + (int(hour) + 1) * _HOUR,
            g_per_kwh=float(figure),
            kind="average",
            factors="direct",
            status="forecast",
            source="benchmark",
            fetched_at_utc=_NOON,
        )
        for hour, figure in zip(hours, shape + rng.normal(0, 15, 96), strict=True)
    )


def _work(rng: np.random.Generator, *, interruptible: bool = False, start_up: bool = False) -> Work:
    duration_h = rng.uniform(1 / 6, 24)
    earliest_h = rng.uniform(0, 94 - 1.2 * duration_h)
    start_up_s = float(rng.uniform(30, 600)) if start_up else 0.0
    return Work(
        duration_s=duration_h * 3600,
        power_w=float(rng.uniform(100, 5000)),
        earliest_utc=_NOON + earliest_h * _HOUR,
        deadline_utc=_NOON + rng.uniform(earliest_h + 1.15 * duration_h + 1, 96) * _HOUR,
        interruptible=interruptible,
        start_up_s=start_up_s,
        start_up_j=start_up_s * float(rng.uniform(100, 5000)),
    )


if __name__ == "__main__":
    main()
