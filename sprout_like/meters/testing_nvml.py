"""NVML in memory: the part of the `pynvml` module that the meter uses, under the same names."""

# ruff: noqa: N802 - the functions are named as NVML names them

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FakeGpu", "FakeMigInstance", "FakeNvml"]

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
class FakeAttributes:
    """The one field of NVML's instance attributes and profiles that is used."""

    multiprocessorCount: int  # noqa: N815 - as NVML names it


@dataclass(slots=True, kw_only=True)
class FakeMigInstance:
    """A MIG instance; None for `multiprocessors` where NVML does not tell them."""

    uuid: str
    multiprocessors: int | None = 14


@dataclass(slots=True, kw_only=True)
class FakeGpu:
    """A GPU, and its own handle.

    Attributes:
        uuid: as NVML gives it. name: its model.
        energy_mj: counter in mJ; None where it has none. power_mw: power in mW; None where it has no sensor.
        multiprocessors: of the whole GPU. mig: its MIG instances, None for an empty slot; None where MIG is off.
        pids: processes that compute on it.
        lost: every call about it fails.
    """

    uuid: str
    name: str = "Fake H100"
    energy_mj: int | None = 5_000_000
    power_mw: int | None = 300_000
    multiprocessors: int = 98
    mig: Sequence[FakeMigInstance | None] | None = None
    pids: list[int] = field(default_factory=list)
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

    def nvmlDeviceGetComputeRunningProcesses(self, handle: FakeGpu) -> list[FakeProcess]:
        """Processes on the GPU."""
        return [FakeProcess(pid) for pid in _usable(handle).pids]

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


def _usable(gpu: FakeGpu) -> FakeGpu:
    if gpu.lost:
        raise FakeNvmlError(_GPU_IS_LOST)
    return gpu


def _supported(value: int | None) -> int:
    if value is None:
        raise FakeNotSupported
    return value
