"""What the benchmarks share: interleaving, percentiles, and a result file that says where it was measured."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

__all__ = ["interleaved", "percentiles", "spread", "timed", "write_result"]

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("sprout-like", "torch", "transformers", "sqlalchemy", "psycopg", "duckdb", "codecarbon", "zeus")


def timed(call: Callable[[], object]) -> float:
    """Seconds one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int, *, warm_up: int = 5) -> dict[str, list[float]]:
    """Time the calls in turns, the order reversed every other round, so that a drift of the machine meets all alike."""
    names = list(calls)
    for _ in range(warm_up):
        for name in names:
            calls[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for index in range(rounds):
        for name in names if index % 2 == 0 else reversed(names):
            seconds[name].append(timed(calls[name]))
    return seconds


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 90th, 99th percentile and maximum in µs."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "p50_us": round(cuts[49] * 1e6, 1),
        "p90_us": round(cuts[89] * 1e6, 1),
        "p99_us": round(cuts[98] * 1e6, 1),
        "max_us": round(max(seconds) * 1e6, 1),
        "n": len(seconds),
    }


def spread(ratios: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and a 95 % interval of the median (order statistics) of paired ratios."""
    ordered = sorted(ratios)
    n = len(ordered)
    half = 0.98 * n**0.5
    low, high = max(0, round(n / 2 - half) - 1), min(n - 1, round(n / 2 + half))
    quartiles = statistics.quantiles(ordered, n=4, method="inclusive")
    return {
        "median": round(statistics.median(ordered), 4),
        "median_95_low": round(ordered[low], 4),
        "median_95_high": round(ordered[high], 4),
        "quartile_1": round(quartiles[0], 4),
        "quartile_3": round(quartiles[2], 4),
        "pairs": n,
    }


def write_result(name: str, result: Mapping[str, Any]) -> None:
    """Write `results/NAME.json` with versions and hardware, and print the figures.

    On a machine with NVIDIA GPUs the file is `NAME@GPU.json`, so that it stands beside what was measured without.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    gpus = _gpus()
    document = {"benchmark": name, "measured_utc": now, **_where(gpus), **result}
    RESULTS.mkdir(exist_ok=True)
    where = f"@{re.sub('[^a-z0-9]+', '-', gpus['names'][0].lower())}" if gpus else ""
    (RESULTS / f"{name}{where}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"{name}: {json.dumps(result, indent=2)}")


def _where(gpus: Mapping[str, Any]) -> dict[str, Any]:
    hardware = {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform(terse=True)}
    return {
        "versions": {"python": platform.python_version(), **dict(_installed())},
        "hardware": {**hardware, "gpus": gpus} if gpus else hardware,
    }


def _gpus() -> dict[str, Any]:
    """The GPUs that NVML shows, with the driver's and its own version; empty where there are none."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return {}
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        names = [pynvml.nvmlDeviceGetName(handle) for handle in handles]
        versions = {"driver": pynvml.nvmlSystemGetDriverVersion(), "nvml": pynvml.nvmlSystemGetNVMLVersion()}
        return {"names": names, **versions} if names else {}
    finally:
        pynvml.nvmlShutdown()


def _installed() -> list[tuple[str, str]]:
    found = []
    for package in _PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
