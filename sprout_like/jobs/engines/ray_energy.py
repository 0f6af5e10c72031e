"""What a pool of actors took together, from what each one's meter told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sprout_like.jobs.engines.counters import counts_the_machine
from sprout_like.jobs.engines.sharing import parts_of_one
from sprout_like.meters import UNKNOWN, Device, Energy, EnergyMethod
from sprout_like.meters.meter import METHODS

__all__ = ["Reading", "pooled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an actor's meter told of its part of a batch.

    Attributes:
        node: id of the Ray node. begun_s, ended_s: of the window, by the node's monotonic clock.
        devices: those charged; empty where the energy has none.
        energy: of the part; `UNKNOWN` where a device of the model could not be read.
        tokens: that were read and written, for where energies are unknown.
    """

    node: str
    begun_s: float
    ended_s: float
    devices: tuple[Device, ...]
    energy: Energy
    tokens: int


def pooled(readings: Sequence[Reading]) -> tuple[Energy, list[float]]:
    """The energy of all parts, and each part's share of it, or of the tokens where it is unknown.

    Each actor keeps accounts of its own, so what a counter of the machine told is in the reading of every actor that
    was active on its node. At any time it is divided equally among them, as `Accounts` does within one process; power
    is taken to be constant over a reading.
    """
    parts = [_own_part(reading, readings) for reading in readings]
    joules = [part.energy_j for part in parts]
    if not parts or None in joules:
        return UNKNOWN, parts_of_one([reading.tokens for reading in readings])
    method: EnergyMethod = max((part.method for part in parts), key=METHODS.index)
    widths_j = [part.uncertainty_j for part in parts]
    by_device_j: dict[str, float] = {}
    for part in parts:
        for device_id, energy_j in part.by_device_j.items():
            by_device_j[device_id] = by_device_j.get(device_id, 0.0) + energy_j
    whole = Energy(
        energy_j=_sum(joules),
        gpu_j=_sum([part.gpu_j for part in parts if part.gpu_j is not None]),
        cpu_j=_sum([part.cpu_j for part in parts if part.cpu_j is not None]),
        dram_j=_sum([part.dram_j for part in parts if part.dram_j is not None]),
        by_device_j=by_device_j,
        method=method,
        uncertainty_j=None if None in widths_j else _sum(widths_j),
    )
    return whole, parts_of_one([energy_j or 0.0 for energy_j in joules])


def _sum(values: Sequence[float | None]) -> float | None:
    """None of nothing; values are known."""
    return math.fsum(value or 0.0 for value in values) if values else None


def _own_part(reading: Reading, readings: Sequence[Reading]) -> Energy:
    """A reading without what other actors of its node have in theirs; devices are named with their node."""
    energy = reading.energy
    if energy.energy_j is None or not reading.devices:
        return energy
    components: dict[str, float] = {}
    by_device_j: dict[str, float] = {}
    shared = False
    for device in reading.devices:
        sharers = [r for r in readings if r.node == reading.node and device.id in {d.id for d in r.devices}]
        part = _part_of_time(reading, sharers) if counts_the_machine(device) else 1.0
        shared = shared or part < 1
        own_j = energy.by_device_j[device.id] * part
        by_device_j[f"{reading.node}:{device.id}"] = own_j
        components[device.component] = components.get(device.component, 0.0) + own_j
    return Energy(
        energy_j=math.fsum(by_device_j.values()),
        gpu_j=components.get("gpu"),
        cpu_j=components.get("cpu"),
        dram_j=components.get("dram"),
        by_device_j=by_device_j,
        method=max(energy.method, METHODS[1] if shared else METHODS[0], key=METHODS.index),
        uncertainty_j=energy.uncertainty_j,
    )


def _part_of_time(reading: Reading, sharers: Sequence[Reading]) -> float:
    """∫ dt / n(t) over the reading's time, as a share of it; n: how many of the sharers were active, itself too."""
    moments = {reading.begun_s, reading.ended_s}
    moments |= {at_s for r in sharers for at_s in (r.begun_s, r.ended_s) if reading.begun_s < at_s < reading.ended_s}
    ordered = sorted(moments)
    if len(ordered) < 2:
        return 1.0
    own_s = 0.0
    for begun_s, ended_s in pairwise(ordered):
        active = sum(r.begun_s <= begun_s and ended_s <= r.ended_s for r in sharers)
        own_s += (ended_s - begun_s) / max(active, 1)
    return own_s / (reading.ended_s - reading.begun_s)
