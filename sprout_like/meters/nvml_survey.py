"""What each GPU that NVML shows is worth as a meter: the one place where that is decided.

| GPU                                    | energy                           | method        | relative error       |
|----------------------------------------|----------------------------------|---------------|----------------------|
| with an energy counter                 | the counter                      | `measured`    | 5 %                  |
| without (pre-Volta, some vGPUs)        | power, polled every 0.1 s        | `estimated`   | 10 %                 |
| MIG instance                           | its share of multiprocessors     | `apportioned` | (1 - share) / share  |
| GPU with MIG enabled, or no sensor     | none: left out, with the reason  |               |                      |

Sensors are good to about 5 % in a steady state, and counters are renewed every 0.1 s (arXiv 2312.02741). Counters are
the whole device's: what other processes drew is taken off in `claims.py`, by what `nvml_use.py` tells. Polled power is
each process' own integral, and is not divided: every process on such a GPU claims the whole of it. MIG has no sensor
per instance (arXiv 2501.17752): the others may draw nothing or nearly everything, and the error says so. Its idle part
is shared likewise; what the instances together do not cover is charged to no one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sprout_like.errors import MeterError
from sprout_like.meters.meter import Device
from sprout_like.meters.power_poll import PolledEnergy

__all__ = ["Gpu", "survey"]

_TICK_S: Final = 0.1
_COUNTER_ERROR: Final = 0.05
_POLLED_ERROR: Final = 0.10


class Counter(Protocol):
    """Energy of one physical GPU."""

    def read_j(self) -> float:
        """J since an origin of its own."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU or MIG instance.

    Attributes:
        handle: NVML's. counter: what its energy is read from. share: the part of that counter that is its own.
    """

    device: Device
    handle: Any
    counter: Counter
    share: float = 1.0


def survey(nvml: Any, *, monotonic_s: Callable[[], float]) -> tuple[list[Gpu], dict[str, str]]:
    """The GPUs and MIG instances that can be read, and the reason for each that cannot, by UUID.

    Args:
        nvml: the `pynvml` module or a stand-in.
        monotonic_s: a monotonic clock in s.

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
                found.append(_physical(nvml, handle, uuid, monotonic_s))
                continue
            skipped[uuid] = "MIG is enabled on it, so name the instance (MIG-…)"
            for instance, instance_uuid, share in _instances(nvml, handle):
                if share is None:
                    skipped[instance_uuid] = "NVML tells the energy of the whole GPU only, and not the MIG share of it"
                else:
                    found.append(_instance(_physical(nvml, handle, uuid, monotonic_s), instance, instance_uuid, share))
        except nvml.NVMLError as exc:
            skipped[uuid] = f"NVML says: {exc}"
    return found, skipped


class _EnergyCounter:
    """NVML's counter, in mJ since the driver was loaded; renewed about every 0.1 s."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle
        self.read_j()  # raises where there is none

    def read_j(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000

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
        machine_wide=True,
    )
    try:
        return Gpu(device, handle, _EnergyCounter(nvml, handle))
    except nvml.NVMLError_NotSupported:
        pass  # no counter: power will have to do

    def power_w() -> float:
        try:
            return float(nvml.nvmlDeviceGetPowerUsage(handle)) / 1000
        except nvml.NVMLError as exc:
            raise MeterError(f"NVML could not read the power of {uuid}: {exc}. Check `nvidia-smi`") from exc

    nvml.nvmlDeviceGetPowerUsage(handle)  # raises where there is no power sensor either
    polled = replace(device, method="estimated", relative_error=_POLLED_ERROR, machine_wide=False)
    return Gpu(polled, handle, PolledEnergy(power_w, monotonic_s=monotonic_s))


def _mig_enabled(nvml: Any, handle: Any) -> bool:
    try:
        current, _pending = nvml.nvmlDeviceGetMigMode(handle)
    except nvml.NVMLError_NotSupported:
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)


def _instances(nvml: Any, handle: Any) -> Iterator[tuple[Any, str, float | None]]:
    """Handle, UUID and share of multiprocessors of each MIG instance; None where NVML does not tell the share."""
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
        yield instance, uuid, min(own / whole, 1.0) if own and whole else None


def _whole_multiprocessors(nvml: Any, handle: Any) -> int:
    """Multiprocessors of the largest instance the GPU can be made into, which is the whole of it; 0 where unknown."""
    counts = [0]
    for profile in range(nvml.NVML_GPU_INSTANCE_PROFILE_COUNT):
        try:
            counts.append(nvml.nvmlDeviceGetGpuInstanceProfileInfo(handle, profile).multiprocessorCount)
        except nvml.NVMLError:
            continue  # each GPU model supports only some of the profiles
    return max(counts)


def _instance(gpu: Gpu, handle: Any, uuid: str, share: float) -> Gpu:
    device = replace(
        gpu.device,
        id=uuid,
        name=f"{gpu.device.name}, MIG instance, {share:.0%} of the multiprocessors",
        method="apportioned" if gpu.device.method == "measured" else gpu.device.method,
        relative_error=max(gpu.device.relative_error, (1 - share) / share),
    )
    return Gpu(device, handle, gpu.counter, share)
