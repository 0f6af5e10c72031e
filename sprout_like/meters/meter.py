"""What a meter is: cumulative joules per device. Everything else (windows, idle, shares) is `accounts.py`'s part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, runtime_checkable

from sprout_like.errors import MeterError

__all__ = [
    "METHODS",
    "NOTHING_RAN",
    "UNKNOWN",
    "Component",
    "Device",
    "Energy",
    "EnergyMethod",
    "Meter",
    "ProcessUse",
    "TellsUse",
    "require_known",
]

Component = Literal["gpu", "cpu", "dram"]
EnergyMethod = Literal["measured", "apportioned", "estimated", "none"]

METHODS: Final[tuple[EnergyMethod, ...]] = ("measured", "apportioned", "estimated", "none")
"""From the strongest to the weakest; a sum is worth its weakest part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One thing that draws power and has a counter, real or modelled.

    Attributes:
        id: unique on this machine and stable, e.g. `GPU-8f1c…`, `rapl:package-0`, `cpu:process`.
        name: for people, e.g. `NVIDIA H200`.
        component: which column its energy goes to.
        method: what a window on it is worth when nothing else runs beside it: `measured` (a counter of this device
            alone), `apportioned` (a share of a counter), `estimated` (a power model).
        tick_s: the counter's update period in s; 0 where it is continuous. Adds one tick of power to the uncertainty.
        relative_error: the counter's systematic error as a share of the energy.
        machine_wide: every process of the machine reads this same counter, so that its energy is to be divided among
            those that use the device. False where a reading is the process' own part already.
    """

    id: str
    name: str
    component: Component
    method: EnergyMethod
    tick_s: float
    relative_error: float
    machine_wide: bool = False


@runtime_checkable
class Meter(Protocol):
    """Reads cumulative energy. Must be callable from any thread; `accounts.py` never calls it twice at once."""

    @property
    def name(self) -> str:
        """Short name, stored in every row, e.g. `nvml+rapl`."""
        ...

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices it can read; fixed for its life."""
        ...

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """Joules per device since an arbitrary origin; all devices asked for, or an error.

        It falls only where a device was reset, which counts as a failed reading. Of a machine-wide counter the origin
        is the same in every process.

        Raises:
            MeterError: a reading failed, and the next one may succeed; or a device is not among `devices`.
        """
        ...

    def close(self) -> None:
        """Release handles and threads; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUse:
    """Who used a device lately, as its driver tells.

    Attributes:
        busy: process id to the share of the time in which it kept the device busy, for those that did at all; None
            where the driver does not tell, or by ids that are not ours (in a container).
        processes_n: where `busy` is None, how many processes hold the device, busy or not; None where nobody tells.
    """

    busy: Mapping[int, float] | None = None
    processes_n: int | None = None


@runtime_checkable
class TellsUse(Protocol):
    """A meter that also knows who uses its devices."""

    def process_use(self, device_id: str, span_s: float) -> ProcessUse:
        """Who used a device in the last `span_s` seconds. Never raises: what the driver does not tell is None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """The energy of one window.

    Attributes:
        energy_j: sum over the devices charged, in J; None where any of them could not be read.
        gpu_j: GPU part in J; None where no GPU was charged or it could not be read. Likewise `cpu_j` and `dram_j`.
        by_device_j: J per device id; empty where the energy is unknown.
        method: the weakest method among the devices charged; `none` where the energy is unknown.
        uncertainty_j: half-width in J: one tick of power plus the systematic error of each device, added up. None where
            the energy is unknown, and for a window shorter than a tick on a device whose power was not seen yet.
        account_id: the account period this window was booked in; None where the energy is unknown.
    """

    energy_j: float | None = None
    gpu_j: float | None = None
    cpu_j: float | None = None
    dram_j: float | None = None
    by_device_j: Mapping[str, float] = field(default_factory=dict)
    method: EnergyMethod = "none"
    uncertainty_j: float | None = None
    account_id: str | None = None


UNKNOWN = Energy()

NOTHING_RAN = Energy(energy_j=0.0, uncertainty_j=0.0)
"""Of a request for which nothing was generated: known to be 0 J, by no meter."""


def require_known(device_ids: Collection[str], known: Collection[str], meter: str) -> None:
    """Check that a meter has the devices it is asked for.

    Raises:
        MeterError: it does not.
    """
    unknown = [device_id for device_id in device_ids if device_id not in known]
    if unknown:
        raise MeterError(f"meter {meter} has no device {', '.join(unknown)}; it reads {', '.join(known) or 'nothing'}")
