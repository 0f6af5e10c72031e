"""SPROUT's own policy, to be compared with: one linear program an hour, the same for every request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from directives.errors import PolicyError
from directives.plan import Shares
from directives.policy import Decision, Observation, Uniform
from directives.units import JOULES_PER_KWH

__all__ = ["Level", "SproutPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What SPROUT knows of one directive.

    Attributes:
        directive: its name.
        energy_j: mean energy per request, in J. time_s: mean time per request, in s.
        quality: share of the judged prompts for which its answer was the best of all levels'.
    """

    directive: str
    energy_j: float
    time_s: float
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SproutPolicy:
    """Least carbon under a quality floor that falls as the intensity rises, blind to what is asked.

    min Σ x_i (e_i·CI + k·p_i)  subject to  Σ q_i x_i ≥ (1 - ξ (CI - CI_min) / (CI_max - CI_min)) q_full,  Σ x_i = 1
    (Li et al., EMNLP 2024, and its public code). CI_min and CI_max are the year's, which nobody knows in advance: an
    intensity beyond them counts as the nearer one.

    Attributes:
        levels: the directives on offer, `full` among them.
        lowest_g_per_kwh, highest_g_per_kwh: the year's extremes of the intensity, in g CO2e/kWh.
        slack: ξ, the share of `full`'s quality given up at the highest intensity.
        embodied_g_per_s: k, making the hardware, in g CO2e per s of use.

    Raises:
        PolicyError: no `full`, extremes that do not rise, or a slack outside [0, 1].
    """

    levels: tuple[Level, ...]
    lowest_g_per_kwh: float
    highest_g_per_kwh: float
    slack: float = 0.1
    embodied_g_per_s: float = 0.0

    def __post_init__(self) -> None:
        if "full" not in self.reach:
            raise PolicyError("sprout: the levels lack `full`, whose quality sets the floor")
        if not 0 <= self.lowest_g_per_kwh < self.highest_g_per_kwh < math.inf:
            extremes = f"{self.lowest_g_per_kwh:g} to {self.highest_g_per_kwh:g} g/kWh"
            raise PolicyError(f"sprout: the year's intensities range from {extremes}; give a lowest below the highest")
        if not 0 <= self.slack <= 1:
            raise PolicyError(f"sprout: the slack is {self.slack}; give a share in [0, 1]")

    @property
    def name(self) -> str:
        """`sprout`."""
        return "sprout"

    @property
    def version(self) -> str:
        """Everything that the shares follow from, in words."""
        levels = ",".join(f"{x.directive}:{x.energy_j:g}:{x.time_s:g}:{x.quality:g}" for x in self.levels)
        span = f"{self.lowest_g_per_kwh:g}-{self.highest_g_per_kwh:g}"
        return f"sprout:{levels};{span};slack={self.slack:g};embodied={self.embodied_g_per_s:g}"

    @property
    def reach(self) -> frozenset[str]:
        """The levels' directives."""
        return frozenset(level.directive for level in self.levels)

    def shares(self, intensity_g_per_kwh: float, candidates: Sequence[str] | None = None) -> Shares:
        """The program's solution at an intensity, over the candidates; None for all levels.

        A program with one inequality has an optimum with at most two levels: one that keeps the floor alone, or one
        above it and one below that meet it together.
        """
        levels = [x for x in self.levels if candidates is None or x.directive in candidates]
        floor = self._floor(intensity_g_per_kwh)
        above = [x for x in levels if x.quality >= floor]
        below = [x for x in levels if x.quality < floor]
        corners = [(self._carbon_g(x, intensity_g_per_kwh), {x.directive: 1.0}) for x in above]
        for high, low in product(above, below):
            share = (floor - low.quality) / (high.quality - low.quality)
            carbon_g = share * self._carbon_g(high, intensity_g_per_kwh)
            carbon_g += (1 - share) * self._carbon_g(low, intensity_g_per_kwh)
            corners.append((carbon_g, {high.directive: share, low.directive: 1 - share}))
        return min(corners, key=lambda corner: corner[0])[1]

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """Draw by the program's shares; `full` where the intensity is unknown."""
        intensity = observation.intensity_g_per_kwh
        if intensity is None:
            return Decision(directive="full", propensity=1.0, reason="intensity unknown")
        shares = self.shares(intensity, candidates)
        draw = rng.random()
        directive = "full"
        for directive, share in shares.items():  # noqa: B007 - the last one takes what rounding leaves
            draw -= share
            if draw < 0:
                break
        return Decision(directive=directive, propensity=shares[directive], reason=f"share at {intensity:g} g/kWh")

    def _floor(self, intensity: float) -> float:
        position = (intensity - self.lowest_g_per_kwh) / (self.highest_g_per_kwh - self.lowest_g_per_kwh)
        full = next(level.quality for level in self.levels if level.directive == "full")
        return (1 - self.slack * min(max(position, 0.0), 1.0)) * full

    def _carbon_g(self, level: Level, intensity: float) -> float:
        return level.energy_j / JOULES_PER_KWH * intensity + self.embodied_g_per_s * level.time_s
