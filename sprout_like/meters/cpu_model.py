"""The estimate for where no counter can be read: CPU time and resident memory, times constants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from sprout_like.errors import MeterError
from sprout_like.meters.meter import Component, Device, require_known

__all__ = ["DRAM_WATTS_PER_GIB", "WATTS_PER_BUSY_CORE", "CpuModelMeter", "process_rss_bytes"]

WATTS_PER_BUSY_CORE: Final = 4.0
"""W per hardware thread: what CodeCarbon 3.3.2 takes for a CPU it does not know (`DEFAULT_POWER_PER_CORE`)."""

DRAM_WATTS_PER_GIB: Final = 0.375 * 1.024**3
"""3 W per 8 GB, the ratio that CodeCarbon's methodology cites, as W/GiB (1 GiB = 1.024³ GB)."""

_BYTES_PER_GIB: Final = 1024**3

# Asking the system for the resident memory is most of a reading's cost, and what a process can take up or give back in
# so short a time is far below the model's error.
_RSS_FRESH_S: Final = 0.05

_CPU = Device(
    id="cpu:process",
    name="CPU time of this process (power model)",
    component="cpu",
    method="estimated",
    tick_s=0.0,
    # Server and laptop CPUs draw from about 2 to 8 W per busy thread, by model, clock and instruction mix.
    relative_error=0.5,
)
_DRAM = Device(
    id="dram:process",
    name="Memory of this process (power model)",
    component="dram",
    method="estimated",
    tick_s=0.0,
    # The ratio ignores the kind of module and the traffic, which moves a module's power by about a factor of two.
    relative_error=0.5,
)


class CpuModelMeter:
    """Estimates the process' energy: CPU seconds × W per busy core, and resident memory × W/GiB × time.

    Idle cores and other processes are not in it, so it is close to what the process adds to the machine's draw.

    Args:
        components: which of `cpu` and `dram` to estimate; `("dram",)` goes with RAPL where that has no DRAM counter.
        watts_per_busy_core: W per busy hardware thread; TDP / threads is a fair value for a CPU you know.
        dram_watts_per_gib: W per GiB resident.
        process_cpu_s: CPU seconds of this process, all threads.
        rss_bytes: resident memory of this process in bytes. monotonic_s: a monotonic clock in s.
    """

    def __init__(
        self,
        *,
        components: Collection[Component] = ("cpu", "dram"),
        watts_per_busy_core: float = WATTS_PER_BUSY_CORE,
        dram_watts_per_gib: float = DRAM_WATTS_PER_GIB,
        process_cpu_s: Callable[[], float] = time.process_time,
        rss_bytes: Callable[[], int] | None = None,
        monotonic_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._devices = {d.id: d for d in (_CPU, _DRAM) if d.component in components}
        self._watts_per_busy_core = watts_per_busy_core
        self._dram_watts_per_byte = dram_watts_per_gib / _BYTES_PER_GIB
        self._process_cpu_s = process_cpu_s
        self._rss_bytes = rss_bytes or process_rss_bytes
        self._monotonic_s = monotonic_s
        self._dram_j = 0.0
        self._dram_at: tuple[float, int] | None = None
        self._rss_at_s = 0.0

    @property
    def name(self) -> str:
        """`cpu`, or `dram` where it estimates that alone."""
        return "cpu" if _CPU.id in self._devices else "dram"

    @property
    def devices(self) -> tuple[Device, ...]:
        """`cpu:process` and `dram:process`, as chosen."""
        return tuple(self._devices.values())

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """J since the process began (CPU) and since the first reading (DRAM, trapezoid between readings).

        Raises:
            MeterError: the process' memory could not be read, or a device is unknown.
        """
        require_known(device_ids, self._devices, self.name)
        readings = {}
        if _CPU.id in device_ids:
            readings[_CPU.id] = self._process_cpu_s() * self._watts_per_busy_core
        if _DRAM.id in device_ids:
            readings[_DRAM.id] = self._integrate_dram()
        return readings

    def close(self) -> None:
        """Nothing to release."""

    def _integrate_dram(self) -> float:
        try:
            now_s = self._monotonic_s()
            if self._dram_at is not None and now_s - self._rss_at_s < _RSS_FRESH_S:
                rss_bytes = self._dram_at[1]
            else:
                rss_bytes, self._rss_at_s = self._rss_bytes(), now_s
        except OSError as exc:
            raise MeterError(f"the memory of this process cannot be read: {exc}") from exc
        if self._dram_at is not None:
            last_s, last_bytes = self._dram_at
            mean_bytes = (last_bytes + rss_bytes) / 2
            self._dram_j += mean_bytes * self._dram_watts_per_byte * (now_s - last_s)
        self._dram_at = (now_s, rss_bytes)
        return self._dram_j


def process_rss_bytes() -> int:
    """Resident memory of this process in bytes; about 5 µs on Linux.

    Raises:
        OSError: the system does not say.
    """
    try:
        # Opened anew each time: a kept descriptor would go on showing the parent's memory in a forked child.
        statm = os.open("/proc/self/statm", os.O_RDONLY)
    except FileNotFoundError:
        import psutil

        return int(psutil.Process().memory_info().rss)
    try:
        return int(os.read(statm, 128).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        os.close(statm)
