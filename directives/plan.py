"""A solved policy: which share of which work gets which directive at which intensity."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from directives.workload import Bin

__all__ = ["Expected", "Plan", "Shares"]

Shares = Mapping[str, float]
"""Probability by directive; sums to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a plan should come to, per request over the mix and the intensities it was made for.

    Attributes:
        carbon_g, full_carbon_g: g CO2e of operation and embodied share, under the plan and with `full` throughout;
            None where no intensity was known.
        energy_j, full_energy_j: J likewise; None where unknown.
        quality: as a share of `full`'s; None where nothing lossy is served. quality_low: its lower bound.
    """

    carbon_g: float | None
    full_carbon_g: float | None
    energy_j: float | None
    full_energy_j: float | None
    quality: float | None
    quality_low: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The table that a contextual policy looks up.

    Attributes:
        edges_g_per_kwh: rising intensities at which the next level begins; one fewer than there are levels.
        levels: per level, from the lowest intensity to the highest, the shares by bin. They are those of what is left
            after control group and exploration. A bin with empty parts serves what has no bin of its own.
        explored: directives tried out, by bin likewise, the same at all levels.
        explore_share, control_share: as in `Constraints`; less exploration where the floors have no room for all.
        pinned: directive by task, before anything else.
        expected: what it should come to.
        binding: names of the constraints that keep it from saving more.
        version: changes whenever a probability could.
    """

    edges_g_per_kwh: tuple[float, ...]
    levels: tuple[Mapping[Bin, Shares], ...]
    explored: Mapping[Bin, tuple[str, ...]] = field(default_factory=dict)
    explore_share: float
    control_share: float
    pinned: Mapping[str, str] = field(default_factory=dict)
    expected: Expected
    binding: tuple[str, ...] = ()
    version: str

    def level(self, intensity_g_per_kwh: float | None) -> int:
        """The level of an intensity; the lowest, which keeps the most quality, where it is unknown."""
        return 0 if intensity_g_per_kwh is None else bisect_right(self.edges_g_per_kwh, intensity_g_per_kwh)


def kin(bin: Bin) -> Sequence[Bin]:  # noqa: A002 - the word of the domain
    """The bin, its parent (the task, whatever the lengths) and the parent of all."""
    return tuple(dict.fromkeys((bin, Bin(task=bin.task), Bin())))
