"""The middleware's own time per request, durable SQLite row included, beside what the peers' measuring calls take.

The engine does nothing. The peers are called as their users call them around a request; on a machine without GPU and
without readable RAPL, Zeus has no device to read, and CodeCarbon estimates the CPU as we do.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import interleaved, percentiles, write_result

ROUNDS = 2000


def main() -> None:
    """Measure and write the result."""
    from sprout_like import CarbonAware
    from sprout_like.testing import NullEngine

    logging.disable(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory() as folder,
        CarbonAware(None, engine=NullEngine(), grid="static:150", ledger=str(Path(folder) / "l.sqlite")) as aware,
    ):
        meter = repr(aware).rpartition("meter=")[2].rstrip(")")
        peers = {"codecarbon": _codecarbon(), "zeus": _zeus()}
        seconds = interleaved({"sprout_like": aware.generate, **peers}, ROUNDS, warm_up=50)
    times = {name: percentiles(taken) for name, taken in seconds.items()}
    ratio = times["sprout_like"]["p50_us"] / times["codecarbon"]["p50_us"]
    write_result(
        "middleware_time",
        {
            "per_request": times,
            "meter": meter,
            "sprout_like_over_codecarbon_p50": round(ratio, 3),
            "wanted": "p50 ≤ 150 µs, p99 ≤ 1 ms, ratio ≤ 0.5",
            "notes": {
                "sprout_like": "whole request: decision, metering, accounting, durable row",
                "codecarbon": "start_task + stop_task, no row written",
                "zeus": "begin_window + end_window, no row written; no device to read on this machine",
            },
        },
    )


def _codecarbon() -> Callable[[], object]:
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code="GBR", save_to_file=False, log_level="critical", allow_multiple_runs=True
    )
    names = map(str, itertools.count())

    def task() -> None:
        name = next(names)
        tracker.start_task(name)
        tracker.stop_task(name)

    return task


def _zeus() -> Callable[[], object]:
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor(gpu_indices=[])
    names = map(str, itertools.count())

    def window() -> None:
        name = next(names)
        monitor.begin_window(name)
        monitor.end_window(name)

    return window


if __name__ == "__main__":
    main()
