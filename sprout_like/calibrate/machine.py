"""What a profile was measured on: it holds for this hardware and these versions alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

__all__ = ["hardware", "versions"]

_PACKAGES: Final = ("sprout-like", "torch", "transformers")


def hardware(gpus: Sequence[str]) -> str:
    """The processor and its cores, and the GPUs that hold the model."""
    cores = os.cpu_count()
    processor = f"{_processor()} ({cores} cores)" if cores else _processor()
    return " + ".join([processor, *gpus])


def versions() -> dict[str, str]:
    """Of Python and the packages that decide how fast tokens come."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
