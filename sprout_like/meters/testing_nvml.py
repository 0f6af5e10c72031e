"""NVML in memory: the part of the `pynvml` module that the meter uses, under the same names."""

# ruff: noqa: N802 - the functions are named as NVML names them

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["FakeGpu", "FakeMigInstance", "FakeNvml", "FakeNvmlFile"]

_NOT_SUPPORTED, _NOT_FOUND, _LIBRARY_NOT_FOUND, _GPU_IS_LOST = 3, 6, 12, 15


class FakeNvmlError(Exception):
    """Like `pynvml.NVMLError`."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


class FakeNotSupported(FakeNvmlError):
    """Like `pynvml.NVMLError_NotSupported`."""

    def __init__(self) -> None:
        super().__init__(_NOT_SUPPORTED)


class FakeNotFound(FakeNvmlError):
    """Like `pynvml.NVMLError_NotFound`."""

    def __init__(self) -> None:
        super().__init__(_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class FakeProcess:
    """A process on a GPU."""

    pid: int


@dataclass(frozen=True, slots=True)
class FakeUtilization:
    """What NVML says of one process: its share of the sampling period in %, and when in µs since 1970."""

    pid: int
    smUtil: int  # noqa: N815 - as NVML names it
    timeStamp: int  # noqa: N815 - as NVML names it


@dataclass(frozen=True, slots=True)
class FakeAttributes:
    """The one field of NVML's instance attributes and profiles that is used."""

    multiprocessorCount: int  # noqa: N815 - as NVML names it


@dataclass(slots=True, kw_only=True)
class FakeMigInstance:
    """A MIG instance and the processes that hold it; None for `multiprocessors` where NVML does not tell them."""

    uuid: str
    multiprocessors: int | None = 14
    pids: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class FakeGpu:
    """A GPU, and its own handle.

    Attributes:
        uuid: as NVML gives it. name: its model.
        energy_mj: counter in mJ; None where it has none. power_mw: power in mW; None where it has no sensor.
        multiprocessors: of the whole GPU. mig: its MIG instances, None for an empty slot; None where MIG is off.
        pids: processes that hold it.
        busy: process id to % of the time, as last sampled; None where the driver does not tell.
        sampled_us: when that was, in µs since 1970; by default, always just now.
        lost: every call about it fails.
    """

    uuid: str
    name: str = "Fake H100"
    energy_mj: int | None = 5_000_000
    power_mw: int | None = 300_000
    multiprocessors: int = 98
    mig: Sequence[FakeMigInstance | None] | None = None
    pids: list[int] = field(default_factory=list)
    busy: dict[int, int] | None = field(default_factory=dict)
    sampled_us: int = 1 << 62
    lost: bool = False

    def draw(self, joules: float) -> None:
        """Count joules."""
        if self.energy_mj is not None:
            self.energy_mj += round(joules * 1000)


class FakeNvml:
    """The functions, constants and errors of `pynvml` that the meter uses.

    Args:
        gpus: what the machine has. driver: False where the driver is missing.
    """

    NVMLError: Final = FakeNvmlError
    NVMLError_NotSupported: Final = FakeNotSupported
    NVMLError_NotFound: Final = FakeNotFound
    NVML_DEVICE_MIG_ENABLE: Final = 1
    NVML_GPU_INSTANCE_PROFILE_COUNT: Final = 5

    def __init__(self, *gpus: FakeGpu, driver: bool = True) -> None:
        self.gpus = gpus
        self.users = 0
        self._driver = driver

    def nvmlInit(self) -> None:
        """Count a user."""
        if not self._driver:
            raise FakeNvmlError(_LIBRARY_NOT_FOUND)
        self.users += 1

    def nvmlShutdown(self) -> None:
        """Discount a user."""
        self.users -= 1

    def nvmlDeviceGetCount(self) -> int:
        """Number of GPUs."""
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        """The GPU itself."""
        return self.gpus[index]

    def nvmlDeviceGetUUID(self, handle: FakeGpu | FakeMigInstance) -> str:
        """UUID with its prefix."""
        return handle.uuid

    def nvmlDeviceGetName(self, handle: FakeGpu) -> str:
        """Model."""
        return _usable(handle).name

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeGpu) -> int:
        """Counter in mJ."""
        return _supported(_usable(handle).energy_mj)

    def nvmlDeviceGetPowerUsage(self, handle: FakeGpu) -> int:
        """Power in mW."""
        return _supported(_usable(handle).power_mw)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: FakeGpu | FakeMigInstance) -> list[FakeProcess]:
        """Processes on the GPU or the instance."""
        if isinstance(handle, FakeGpu):
            _usable(handle)
        return [FakeProcess(pid) for pid in handle.pids]

    def nvmlDeviceGetProcessUtilization(
        self, handle: FakeGpu | FakeMigInstance, since_us: int
    ) -> list[FakeUtilization]:
        """Processes that were busy since then; none is an error, as it is for NVML."""
        if isinstance(handle, FakeMigInstance) or handle.busy is None:
            raise FakeNotSupported
        if not _usable(handle).busy or handle.sampled_us <= since_us:
            raise FakeNotFound
        return [FakeUtilization(pid, busy, handle.sampled_us) for pid, busy in handle.busy.items()]

    def nvmlDeviceGetMigMode(self, handle: FakeGpu) -> list[int]:
        """Current and pending mode."""
        return [1, 1] if _usable(handle).mig is not None else [0, 0]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: FakeGpu) -> int:
        """Slots for instances."""
        return len(handle.mig or ())

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: FakeGpu, index: int) -> FakeMigInstance:
        """The instance itself."""
        instance = (handle.mig or ())[index]
        if instance is None:
            raise FakeNotFound
        return instance

    def nvmlDeviceGetAttributes(self, instance: FakeMigInstance) -> FakeAttributes:
        """Multiprocessors of an instance."""
        return FakeAttributes(_supported(instance.multiprocessors))

    def nvmlDeviceGetGpuInstanceProfileInfo(self, handle: FakeGpu, profile: int) -> FakeAttributes:
        """Multiprocessors of an instance profile; the last is the whole GPU, and the second is not supported."""
        if profile == 1:
            raise FakeNotSupported
        return FakeAttributes(handle.multiprocessors * (profile + 1) // self.NVML_GPU_INSTANCE_PROFILE_COUNT)


class FakeNvmlFile(FakeNvml):
    """One GPU whose counter and figures are in a file, so that several processes see the same.

    Args:
        path: the file; made where it is missing.
        uuid: of the GPU; take one of your own where the processes meet in the machine's own folder.
    """

    def __init__(self, path: Path, *, uuid: str = "GPU-shared") -> None:
        self._path = path
        super().__init__(FakeGpu(uuid=uuid))
        if not path.exists():
            self.write()

    @property
    def gpu(self) -> FakeGpu:
        """The GPU as it was read last; `write` what you change."""
        return self.gpus[0]

    def write(self) -> None:
        """Show the GPU to all processes, all at once."""
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        busy = None if self.gpu.busy is None else list(self.gpu.busy.items())
        new.write_text(json.dumps([self.gpu.energy_mj, self.gpu.pids, busy]))
        new.replace(self._path)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeGpu) -> int:
        """Counter in mJ, from the file."""
        self._read()
        return super().nvmlDeviceGetTotalEnergyConsumption(handle)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: FakeGpu | FakeMigInstance) -> list[FakeProcess]:
        """Processes on the GPU, from the file."""
        self._read()
        return super().nvmlDeviceGetComputeRunningProcesses(handle)

    def _read(self) -> None:
        self.gpu.energy_mj, self.gpu.pids, busy = json.loads(self._path.read_text())
        self.gpu.busy = None if busy is None else dict(busy)


def _usable(gpu: FakeGpu) -> FakeGpu:
    if gpu.lost:
        raise FakeNvmlError(_GPU_IS_LOST)
    return gpu


def _supported(value: int | None) -> int:
    if value is None:
        raise FakeNotSupported
    return value
