"""What a profile was measured on: it holds for this hardware and these versions alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

__all__ = ["CpuSeconds", "OtherWork", "cpu_seconds", "hardware", "versions"]

_PACKAGES: Final = ("sprout-like", "torch", "transformers")


def hardware(gpus: Sequence[str]) -> str:
    """The processor and its cores, and the GPUs that hold the model."""
    cores = os.cpu_count()
    processor = f"{_processor()} ({cores} cores)" if cores else _processor()
    return " + ".join([processor, *gpus])


def versions() -> dict[str, str]:
    """Of Python and the packages that decide how fast tokens come."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """Processor time since some moment in the past, in s.

    Attributes:
        busy_s: that all cores were busy. total_s: that all cores existed.
        own_s: that this process and its ended children used.
    """

    busy_s: float
    total_s: float
    own_s: float


def cpu_seconds() -> CpuSeconds:
    """Of this machine and this process, now."""
    import psutil

    machine = psutil.cpu_times()
    own = psutil.Process().cpu_times()
    # Linux counts a guest's time in `user` already.
    total_s = sum(machine) - getattr(machine, "guest", 0.0) - getattr(machine, "guest_nice", 0.0)
    idle_s = machine.idle + getattr(machine, "iowait", 0.0)
    return CpuSeconds(total_s - idle_s, total_s, own.user + own.system + own.children_user + own.children_system)


class OtherWork:
    """What other processes do on this machine meanwhile: they slow a measurement down by more than their share.

    Args:
        read: the processor's time.
    """

    def __init__(self, read: Callable[[], CpuSeconds] = cpu_seconds) -> None:
        self._read = read
        self._start = read()

    def share(self) -> float | None:
        """Their share of the processor's time since this object was made; None where no time has passed."""
        now, start = self._read(), self._start
        total_s = now.total_s - start.total_s
        others_s = (now.busy_s - start.busy_s) - (now.own_s - start.own_s)
        return max(0.0, others_s) / total_s if total_s > 0 else None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
