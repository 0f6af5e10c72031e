"""What requests cost at each level: carbon of running and of making the hardware, energy, time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from directives.solving.problem import Problem
from directives.solving.tree import Flags, Floats
from directives.units import JOULES_PER_KWH

__all__ = ["PerRequest", "carbon_g", "filled_with_full"]


@dataclass(frozen=True, slots=True)
class PerRequest:
    """A figure's mean over all requests: `fixed` + Σ `each` x over levels, nodes and directives.

    Attributes:
        each, fixed: the sum. full: the same with `full` throughout.
    """

    each: Floats
    fixed: float
    full: float

    @classmethod
    def of(cls, problem: Problem, figure: Floats, level_share: Floats, weight: Floats) -> PerRequest:
        """Of a figure by level, node and directive, without unknowns where the weight is above 0."""
        outer = level_share[:, None] * np.where(weight > 0, weight, 0.0)
        full = figure[..., 0]
        tried = problem.explored.sum(axis=1)
        explored = np.where(tried > 0, (figure * problem.explored).sum(axis=2) / np.maximum(tried, 1), 0.0)
        fixed = problem.control * full + problem.explore * explored
        return cls(
            each=(outer * problem.rest)[..., None] * figure,
            fixed=float((outer * fixed).sum()),
            full=float((outer * full).sum()),
        )

    def at(self, shares: Floats) -> float:
        """The mean under these shares."""
        return self.fixed + float((self.each * shares).sum())


def filled_with_full(figure: Floats) -> tuple[Floats, Flags]:
    """The figure with `full`'s where it is unknown, 0 where that is too; and per node whether `full`'s is known.

    Only a pinned or explored directive can be unknown where `full` is not.
    """
    known = np.isfinite(figure[:, 0])
    filled = np.where(np.isfinite(figure), figure, figure[:, :1])
    return np.where(known[:, None], filled, 0.0), known


def carbon_g(problem: Problem, pue: float, embodied_g_per_s: float) -> Floats | None:
    """Carbon per request in g CO2e by level, node and directive; None where no intensity is known.

    energy_j / J per kWh × PUE × intensity + embodied g/s × time (SCI: O = E·I, and M; see `sprout_like.carbon`). Where
    the time of a directive is unknown but not `full`'s, it is taken to go with the energy.
    """
    intensity = problem.levels.mean_g_per_kwh
    if intensity is None:
        return None
    energy, _ = filled_with_full(problem.energy_j)
    time, timed = filled_with_full(problem.time_s)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(energy[:, :1] > 0, energy / energy[:, :1], 1.0)
    time = np.where(np.isfinite(problem.time_s) | ~timed[:, None], time, time[:, :1] * ratio)
    running = energy * pue / JOULES_PER_KWH
    return np.asarray(intensity[:, None, None] * running + embodied_g_per_s * time)
