"""Fakes for tests, ours and yours: a clock moved by hand, a meter that obeys, RAPL in a folder, NVML in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sprout_like.errors import MeterError
from sprout_like.meters.meter import Component, Device, EnergyMethod, require_known
from sprout_like.meters.testing_nvml import FakeGpu, FakeMigInstance, FakeNvml, FakeNvmlFile

__all__ = [
    "FakeGpu",
    "FakeMeter",
    "FakeMigInstance",
    "FakeNvml",
    "FakeNvmlFile",
    "FakeRapl",
    "ManualClock",
    "fake_device",
]


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, now_utc: datetime = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)) -> None:
        self._start_utc = now_utc
        self._elapsed_s = 0.0

    def now_utc(self) -> datetime:
        """The start plus what it was advanced by."""
        return self._start_utc + timedelta(seconds=self._elapsed_s)

    def monotonic_s(self) -> float:
        """What it was advanced by, in s."""
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._elapsed_s += seconds

    def set_forward(self, seconds: float) -> None:
        """Change the date alone, back where negative, as a time server does."""
        self._start_utc += timedelta(seconds=seconds)


def fake_device(
    device_id: str = "fake:cpu",
    *,
    component: Component = "cpu",
    method: EnergyMethod = "measured",
    tick_s: float = 0.0,
    relative_error: float = 0.0,
    machine_wide: bool = False,
) -> Device:
    """A device with a name of its own and, unless told otherwise, no error."""
    return Device(
        id=device_id,
        name=f"fake {component}",
        component=component,
        method=method,
        tick_s=tick_s,
        relative_error=relative_error,
        machine_wide=machine_wide,
    )


class FakeMeter:
    """Draws a constant power by the clock, and jumps on top of it; fails on demand.

    Args:
        devices: what it reads. clock: tells how long the power was drawn.
        watts: power of every device in W.
    """

    name = "fake"

    def __init__(
        self,
        devices: Sequence[Device] | None = None,
        *,
        clock: ManualClock | None = None,
        watts: float = 0.0,
    ) -> None:
        self.devices = tuple(devices) if devices is not None else (fake_device(),)
        self.clock = clock or ManualClock()
        self.closed = False
        self.reads = 0
        self._watts = watts
        self._drawn_j = {device.id: 0.0 for device in self.devices}
        self._fault: Exception | None = None

    def draw(self, device_id: str, joules: float) -> None:
        """Count joules on top; negative ones make the counter go back."""
        self._drawn_j[device_id] += joules

    def fail(self, error: Exception | None = None) -> None:
        """Raise on every reading from now on."""
        self._fault = error or MeterError("scripted meter failure")

    def recover(self) -> None:
        """Read again."""
        self._fault = None

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """Power × time plus what was drawn."""
        self.reads += 1
        require_known(device_ids, self._drawn_j, self.name)
        if self._fault is not None:
            raise self._fault
        base_j = self._watts * self.clock.monotonic_s()
        return {device_id: base_j + self._drawn_j[device_id] for device_id in device_ids}

    def close(self) -> None:
        """Note it."""
        self.closed = True


class FakeRapl:
    """A powercap tree like the kernel's, in a folder.

    Args:
        root: an empty folder. packages: number of sockets. dram: whether each has a DRAM counter.
        range_uj: where the counters wrap.
    """

    def __init__(self, root: Path, *, packages: int = 1, dram: bool = True, range_uj: int = 262_143_328_850) -> None:
        self.root = root
        self._range_uj = range_uj
        for package in range(packages):
            self._add(f"intel-rapl:{package}", f"package-{package}")
            # Parts of the package, which must not be counted again.
            self._add(f"intel-rapl:{package}:0", "core")
            if dram:
                self._add(f"intel-rapl:{package}:1", "dram")
        self._add(f"intel-rapl:{packages}", "psys")
        (root / "intel-rapl").mkdir()

    def energy_file(self, domain: str) -> Path:
        """The counter of a domain such as `intel-rapl:0`."""
        return self.root / domain / "energy_uj"

    def draw(self, domain: str, joules: float) -> None:
        """Count joules, wrapping as the real one does."""
        path = self.energy_file(domain)
        path.write_text(f"{(int(path.read_text()) + round(joules * 1e6)) % self._range_uj}\n")

    def _add(self, domain: str, name: str) -> None:
        folder = self.root / domain
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{self._range_uj}\n")
        (folder / "energy_uj").write_text("1000000\n")

    def reader(self, denied: Collection[str] = ()) -> Callable[[Path], str]:
        """Reads the tree as one who may not read the counters of the domains `denied`; for tests run as root."""

        def read_text(path: Path) -> str:
            if path.name == "energy_uj" and path.parent.name in denied:
                raise PermissionError(13, "Permission denied", str(path))
            return path.read_text()

        return read_text
