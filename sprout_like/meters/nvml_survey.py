"""What each GPU that NVML shows is worth as a meter: the one place where that is decided.

| GPU                                    | energy                           | method        | relative error       |
|----------------------------------------|----------------------------------|---------------|----------------------|
| alone, with an energy counter          | the counter                      | `measured`    | 5 %                  |
| alone, without (pre-Volta, some vGPUs) | power, polled every 0.1 s        | `estimated`   | 10 %                 |
| with other processes on it at set-up   | the whole GPU's                  | `estimated`   | 100 %                |
| MIG instance                           | its share of multiprocessors     | `apportioned` | (1 - share) / share  |
| GPU with MIG enabled, or no sensor     | none: left out, with the reason  |               |                      |

Sensors are good to about 5 % in a steady state, and counters are renewed every 0.1 s (arXiv 2312.02741). Where others
run on the same GPU its counter is theirs as well and NVML does not tell the parts, so the whole is charged, too much,
and called an estimate: `apportioned` would claim a share that nobody took. MIG has no sensor per instance (arXiv
2501.17752): the others may draw nothing or nearly everything, and the error says so. Its idle part is shared likewise;
what the instances together do not cover is charged to no one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from sprout_like.errors import MeterError
from sprout_like.meters.meter import Device
from sprout_like.meters.power_poll import PolledEnergy

__all__ = ["Gpu", "own_pid", "survey"]

_TICK_S: Final = 0.1
_COUNTER_ERROR: Final = 0.05
_POLLED_ERROR: Final = 0.10
_SHARED_ERROR: Final = 1.0


class Counter(Protocol):
    """Energy of one physical GPU."""

    def read_j(self) -> float:
        """J since set-up."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU or MIG instance, the counter its energy is read from, and the share of that counter that is its own."""

    device: Device
    counter: Counter
    share: float = 1.0


def survey(nvml: Any, *, monotonic_s: Callable[[], float], pid: int | None) -> tuple[list[Gpu], dict[str, str]]:
    """The GPUs and MIG instances that can be read, and the reason for each that cannot, by UUID.

    Args:
        nvml: the `pynvml` module or a stand-in.
        monotonic_s: a monotonic clock in s.
        pid: this process as the driver sees it, see `own_pid`.

    Raises:
        NVMLError: NVML does not even list them.
    """
    found: list[Gpu] = []
    skipped: dict[str, str] = {}
    for index in range(nvml.nvmlDeviceGetCount()):
        uuid = f"GPU {index}"
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = nvml.nvmlDeviceGetUUID(handle)
            if not _mig_enabled(nvml, handle):
                gpu = _physical(nvml, handle, uuid, monotonic_s)
                found.append(_shared(gpu) if _has_company(nvml, handle, pid) else gpu)
                continue
            skipped[uuid] = "MIG is enabled on it, so name the instance (MIG-…)"
            for instance_uuid, share in _instances(nvml, handle):
                if share is None:
                    skipped[instance_uuid] = "NVML tells the energy of the whole GPU only, and not the MIG share of it"
                else:
                    found.append(_instance(_physical(nvml, handle, uuid, monotonic_s), instance_uuid, share))
        except nvml.NVMLError as exc:
            skipped[uuid] = f"NVML says: {exc}"
    return found, skipped


def own_pid() -> int | None:
    """This process' id as the driver sees it; None inside a container, where process ids are translated."""
    try:
        # The kernel's fixed number of the first pid namespace (PROC_PID_INIT_INO).
        outside = str(Path("/proc/self/ns/pid").readlink()) == "pid:[4026531836]"
    except OSError:
        outside = True
    return os.getpid() if outside else None


class _EnergyCounter:
    """NVML's counter in mJ, from zero at set-up; renewed about every 0.1 s."""

    def __init__(self, nvml: Any, handle: Any, uuid: str) -> None:
        self._nvml, self._handle, self._uuid = nvml, handle, uuid
        self._energy_mj = 0
        self._raw_mj: int = nvml.nvmlDeviceGetTotalEnergyConsumption(handle)

    def read_j(self) -> float:
        raw_mj = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        drawn_mj, self._raw_mj = raw_mj - self._raw_mj, raw_mj
        if drawn_mj < 0:
            raise MeterError(f"the energy counter of {self._uuid} went back (driver reloaded?); it goes on from there")
        self._energy_mj += drawn_mj
        return self._energy_mj / 1000

    def close(self) -> None:
        """Nothing to release."""


def _physical(nvml: Any, handle: Any, uuid: str, monotonic_s: Callable[[], float]) -> Gpu:
    device = Device(
        id=uuid,
        name=nvml.nvmlDeviceGetName(handle),
        component="gpu",
        method="measured",
        tick_s=_TICK_S,
        relative_error=_COUNTER_ERROR,
    )
    try:
        return Gpu(device, _EnergyCounter(nvml, handle, uuid))
    except nvml.NVMLError_NotSupported:
        pass  # no counter: power will have to do

    def power_w() -> float:
        try:
            return float(nvml.nvmlDeviceGetPowerUsage(handle)) / 1000
        except nvml.NVMLError as exc:
            raise MeterError(f"NVML could not read the power of {uuid}: {exc}. Check `nvidia-smi`") from exc

    nvml.nvmlDeviceGetPowerUsage(handle)  # raises where there is no power sensor either
    polled = replace(device, method="estimated", relative_error=_POLLED_ERROR)
    return Gpu(polled, PolledEnergy(power_w, monotonic_s=monotonic_s))


def _has_company(nvml: Any, handle: Any, pid: int | None) -> bool:
    """Whether other processes compute on the GPU now; False where NVML does not tell, as on some virtual GPUs."""
    try:
        pids = {process.pid for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)}
    except nvml.NVMLError:
        return False
    # In a container our own process may be listed under an id that we do not know: one process is taken to be us.
    return len(pids) > 1 if pid is None else bool(pids - {pid})


def _shared(gpu: Gpu) -> Gpu:
    name = f"{gpu.device.name}, shared with other processes"
    return replace(gpu, device=replace(gpu.device, name=name, method="estimated", relative_error=_SHARED_ERROR))


def _mig_enabled(nvml: Any, handle: Any) -> bool:
    try:
        current, _pending = nvml.nvmlDeviceGetMigMode(handle)
    except nvml.NVMLError_NotSupported:
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)


def _instances(nvml: Any, handle: Any) -> Iterator[tuple[str, float | None]]:
    """UUID and share of multiprocessors of each MIG instance; None where NVML does not tell the share."""
    whole = _whole_multiprocessors(nvml, handle)
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
        except nvml.NVMLError_NotFound:
            continue  # the slot is empty
        uuid = nvml.nvmlDeviceGetUUID(instance)
        try:
            own = nvml.nvmlDeviceGetAttributes(instance).multiprocessorCount
        except nvml.NVMLError:
            own = 0
        yield uuid, min(own / whole, 1.0) if own and whole else None


def _whole_multiprocessors(nvml: Any, handle: Any) -> int:
    """Multiprocessors of the largest instance the GPU can be made into, which is the whole of it; 0 where unknown."""
    counts = [0]
    for profile in range(nvml.NVML_GPU_INSTANCE_PROFILE_COUNT):
        try:
            counts.append(nvml.nvmlDeviceGetGpuInstanceProfileInfo(handle, profile).multiprocessorCount)
        except nvml.NVMLError:
            continue  # each GPU model supports only some of the profiles
    return max(counts)


def _instance(gpu: Gpu, uuid: str, share: float) -> Gpu:
    device = replace(
        gpu.device,
        id=uuid,
        name=f"{gpu.device.name}, MIG instance, {share:.0%} of the multiprocessors",
        method="apportioned" if gpu.device.method == "measured" else gpu.device.method,
        relative_error=max(gpu.device.relative_error, (1 - share) / share),
    )
    return Gpu(device, gpu.counter, share)
