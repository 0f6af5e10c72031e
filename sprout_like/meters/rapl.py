"""CPU and DRAM energy by RAPL, the counters of Intel and AMD sockets; the process gets its share of CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sprout_like.errors import MeterError, MeterUnavailable
from sprout_like.meters.meter import Component, Device, require_known

__all__ = ["POWERCAP", "RaplMeter", "machine_busy_s"]

POWERCAP: Final = Path("/sys/class/powercap")

_FIX_ABSENT: Final = (
    "RAPL needs Linux on bare metal, and virtual machines and most containers hide it: mount "
    "/sys/devices/virtual/powercap into the container, or set meter to cpu for an estimate"
)
_FIX_DENIED: Final = (
    "Until the next boot: `sudo chmod -R a+r /sys/class/powercap/intel-rapl`. For good: "
    """`echo 'SUBSYSTEM=="powercap", KERNEL=="intel-rapl:*", RUN+="/bin/chmod a+r /sys%p/energy_uj"' """
    "| sudo tee /etc/udev/rules.d/60-rapl.rules`. In a container: on the host. It is closed by default since the "
    "counter can leak what other processes compute (CVE-2020-8694)"
)

# Jiffies: the machine's CPU time is counted in steps of 10 ms, so that is how finely a share can be cut.
_TICK_S: Final = 0.01
# The counter itself is good to a few per cent. The share is what errs: it gives every CPU second the same power,
# whatever its clock and instructions; memory traffic follows CPU time more loosely still. Assumed, not measured here.
_RELATIVE_ERROR: Final[Mapping[Component, float]] = {"cpu": 0.2, "dram": 0.5}


@dataclass(slots=True)
class _Domain:
    """One counter, and how far it has been shared out."""

    device: Device
    path: Path
    range_uj: int
    raw_uj: int
    process_s: float
    busy_s: float
    unshared_uj: int = 0
    ours_j: float = 0.0


class RaplMeter:
    """Charges the process its share of every socket: its CPU time over the busy CPU time of the machine.

    The share is taken between each two readings and added up; what is not ours is not charged. The machine's busy time
    moves in steps of 10 ms: an interval in which it did not move is carried into the next one, and a share above 1 is
    cut to 1, so windows of a few steps read up to one step low. Child processes are not counted as ours.

    The package counter holds the cores, the caches and the on-chip GPU; its `core` and `uncore` parts are therefore
    left out, and so is `psys`, which holds the packages. Counters wrap after some minutes to hours, so somebody must
    read about once a minute; `Accounts.tick` does.

    Args:
        root: where the kernel's powercap tree is.
        process_cpu_s: CPU seconds of this process, all threads. machine_cpu_s: busy CPU seconds of the machine, all
            cores; None for `machine_busy_s`.
        read_text: reads one file of the tree.

    Raises:
        MeterUnavailable: there is no RAPL here, or it may not be read; says how to change that.
    """

    name = "rapl"

    def __init__(
        self,
        root: Path = POWERCAP,
        *,
        process_cpu_s: Callable[[], float] = time.process_time,
        machine_cpu_s: Callable[[], float] | None = None,
        read_text: Callable[[Path], str] = Path.read_text,
    ) -> None:
        self._process_cpu_s = process_cpu_s
        self._machine_cpu_s = machine_cpu_s or machine_busy_s
        self._read_text = read_text
        try:
            self._domains = {domain.device.id: domain for domain in self._survey(root)}
        except PermissionError as exc:
            raise MeterUnavailable(f"RAPL's counter {exc.filename} may not be read", _FIX_DENIED) from exc
        except (OSError, ValueError) as exc:
            raise MeterUnavailable(f"RAPL under {root} cannot be read ({exc})", _FIX_ABSENT) from exc
        if not self._domains:
            raise MeterUnavailable(f"there is no RAPL counter under {root}", _FIX_ABSENT)

    @property
    def devices(self) -> tuple[Device, ...]:
        """The sockets, each with its memory where that has a counter."""
        return tuple(domain.device for domain in self._domains.values())

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """J charged to this process since construction.

        Raises:
            MeterError: a counter could not be read, or a device is unknown.
        """
        require_known(device_ids, self._domains, self.name)
        domains = [self._domains[device_id] for device_id in device_ids]
        try:
            raw_uj = [int(self._read_text(domain.path)) for domain in domains]
        except (OSError, ValueError) as exc:
            raise MeterError(f"a RAPL counter could not be read: {exc}. Run `sprout-like doctor`") from exc
        process_s, busy_s = self._process_cpu_s(), self._machine_cpu_s()
        for domain, now_uj in zip(domains, raw_uj, strict=True):
            _share_out(domain, now_uj, process_s, busy_s)
        return {domain.device.id: domain.ours_j for domain in domains}

    def close(self) -> None:
        """Nothing to release."""

    def _survey(self, root: Path) -> Iterator[_Domain]:
        process_s, busy_s = self._process_cpu_s(), self._machine_cpu_s()
        for folder in sorted(root.glob("intel-rapl:*")):
            name = self._read_text(folder / "name").strip()
            component: Component
            if name.startswith("package"):
                component, device_id = "cpu", f"rapl:{name}"
            elif name == "dram":
                parent = self._read_text(root / folder.name.rpartition(":")[0] / "name").strip()
                component, device_id = "dram", f"rapl:{parent}:dram"
            else:
                continue
            path = folder / "energy_uj"
            yield _Domain(
                device=Device(
                    id=device_id,
                    name=f"{'CPU' if component == 'cpu' else 'Memory of'} {device_id.split(':')[1]}, share of CPU time",
                    component=component,
                    method="apportioned",
                    tick_s=_TICK_S,
                    relative_error=_RELATIVE_ERROR[component],
                ),
                path=path,
                range_uj=int(self._read_text(folder / "max_energy_range_uj")),
                raw_uj=int(self._read_text(path)),
                process_s=process_s,
                busy_s=busy_s,
            )


def _share_out(domain: _Domain, raw_uj: int, process_s: float, busy_s: float) -> None:
    wrapped_uj = domain.range_uj if raw_uj < domain.raw_uj else 0
    domain.unshared_uj += raw_uj - domain.raw_uj + wrapped_uj
    domain.raw_uj = raw_uj
    elapsed_busy_s = busy_s - domain.busy_s
    if elapsed_busy_s <= 0:
        return
    # Below 0 in a forked child, whose own CPU time starts anew.
    share = min(max(process_s - domain.process_s, 0.0) / elapsed_busy_s, 1.0)
    domain.ours_j += domain.unshared_uj * 1e-6 * share
    domain.unshared_uj = 0
    domain.process_s, domain.busy_s = process_s, busy_s


def machine_busy_s() -> float:
    """CPU seconds in which any core of the machine was busy, in steps of 10 ms; about 15 µs."""
    import psutil

    times = psutil.cpu_times()
    # Time of guests is in user and nice already; waiting for a disk is idle.
    waiting = {"idle", "iowait", "guest", "guest_nice"}
    return float(sum(value for name, value in times._asdict().items() if name not in waiting))
