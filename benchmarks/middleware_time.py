"""The middleware's own time per request, durable SQLite row included, beside what the peers' measuring calls take.

The engine does nothing; what it costs to ask a real one which directives a call can have, and to choose among them by
the default policy of a fresh install, is timed beside it. The peers are called as their users call them around a
request; on a machine without GPU and without readable RAPL, Zeus has no device to read, and CodeCarbon estimates the
CPU as we do.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import interleaved, percentiles, write_result

if TYPE_CHECKING:
    from sprout_like.parts import Parts

ROUNDS = 2000
_WARM_UP = 50


def main() -> None:
    """Measure and write the result."""
    from sprout_like import CarbonAware
    from sprout_like.testing import NullEngine

    logging.disable(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory() as folder,
        CarbonAware(None, engine=NullEngine(), grid="static:150", ledger=str(Path(folder) / "l.sqlite")) as aware,
        closing(_fresh_install(str(Path(folder) / "fresh.sqlite"))) as parts,
    ):
        meter = repr(aware).rpartition("meter=")[2].rstrip(")")
        calls = {"sprout_like": aware.generate, "codecarbon": _codecarbon(), "zeus": _zeus()}
        calls["candidates_and_choice"] = _deciding(parts)
        seconds = interleaved(calls, ROUNDS, warm_up=_WARM_UP)
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
                "candidates_and_choice": "SmolLM2-135M, built-in catalogue, nothing measured yet; part of a request",
                "codecarbon": "start_task + stop_task, no row written",
                "zeus": "begin_window + end_window, no row written; no device to read on this machine",
            },
        },
    )


def _fresh_install(ledger: str) -> Parts:
    """The middleware's parts around SmolLM2, with the default settings' catalogue and policy; nothing is metered."""
    from sprout_like.assembly import assemble
    from sprout_like.demo.model import load_demo_model

    return assemble(
        *load_demo_model(),
        zone=None,
        grid="static:150",
        policy=None,
        ledger=ledger,
        meter="none",
        engine=None,
        variants=None,
        settings=None,
        clock=None,
        rng=None,
    )


def _deciding(parts: Parts) -> Callable[[], object]:
    """Finds the candidates of a call and chooses among them; each time of a call that nobody asked about."""
    from sprout_like.provenance import observed

    guard = parts.guard
    messages = [{"role": "user", "content": "What causes the tides?"}]
    calls = iter([guard.inspect((), {"max_new_tokens": 256}, messages, None) for _ in range(ROUNDS + _WARM_UP)])

    def decide() -> object:
        call = next(calls)
        policy = guard.current(parts.policy)
        return guard.choose(policy, observed(guard.look(parts.grid), call, None), guard.candidates(policy, call))

    return decide


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
