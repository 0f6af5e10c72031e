"""Who uses a GPU, as the driver tells: by its own process ids, for the last second or so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sprout_like.meters.meter import ProcessUse

__all__ = ["gpu_use", "own_pid"]

_SHORTEST_S: Final = 1.0
"""The driver renews its figures every 1/6 to 1 s, so that a shorter span may hold none."""

_LONGEST_S: Final = 10.0
"""A process' last figure stays in the driver's buffer after it fell silent."""


def gpu_use(nvml: Any, handle: Any, *, span_s: float, now_unix_s: float, ids_are_ours: bool) -> ProcessUse:
    """Who kept a GPU or MIG instance busy lately; where the driver does not tell, how many processes hold it.

    `nvmlDeviceGetProcessUtilization` gives one figure or more per process that used the GPU at all, in per cent of the
    sampling period and stamped in µs since 1970. MIG instances and some virtual GPUs have none.

    Args:
        nvml: the `pynvml` module or a stand-in.
        handle: the device, NVML's.
        span_s: how far back to look; 1 s at least.
        now_unix_s: s since 1970.
        ids_are_ours: whether the driver's process ids are those of this process' namespace, see `own_pid`.
    """
    if ids_are_ours:
        span_s = min(max(span_s, _SHORTEST_S), _LONGEST_S)
        try:
            return ProcessUse(
                busy=_busy(nvml.nvmlDeviceGetProcessUtilization(handle, int((now_unix_s - span_s) * 1e6)))
            )
        except nvml.NVMLError_NotFound:
            return ProcessUse(busy={})
        except nvml.NVMLError:
            pass  # it does not tell
    try:
        processes_n = len({process.pid for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)})
    except nvml.NVMLError:
        processes_n = None
    return ProcessUse(processes_n=processes_n)


def own_pid() -> int | None:
    """This process' id as the driver sees it; None inside a container, where process ids are translated."""
    try:
        # The kernel's fixed number of the first pid namespace (PROC_PID_INIT_INO).
        outside = str(Path("/proc/self/ns/pid").readlink()) == "pid:[4026531836]"
    except OSError:
        outside = True
    return os.getpid() if outside else None


def _busy(samples: Any) -> dict[int, float]:
    """The mean of each process' figures; some drivers give nonsense above 100 % for dead processes."""
    figures: dict[int, list[float]] = {}
    for sample in samples:
        if 0 < sample.smUtil <= 100:
            figures.setdefault(int(sample.pid), []).append(sample.smUtil / 100)
    return {pid: sum(shares) / len(shares) for pid, shares in figures.items()}
