"""Steps on intensity: the dirtier the grid, the stronger the directive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from directives.errors import PolicyError
from directives.policy import Decision, Observation, Uniform

__all__ = ["ThresholdPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdPolicy:
    """From each step's intensity upwards, serve that step's directive; below the first, `full`.

    The default steps split the range of Great Britain's grid in 2023 to 2025 (about 30 to 300 g/kWh) in three; set
    your own for a grid that is cleaner or dirtier.

    Attributes:
        steps: (intensity in g CO2e/kWh, directive), rising in intensity.
        control_share: probability, in [0, 1), that a request is served `full` whatever the intensity. These requests
            are the control group against which savings are measured.

    Raises:
        PolicyError: steps that are empty, do not rise or are not finite, or a share outside [0, 1).
    """

    steps: tuple[tuple[float, str], ...] = ((100.0, "brief"), (200.0, "very_brief"))
    control_share: float = 0.0

    def __post_init__(self) -> None:
        levels = [level for level, _ in self.steps]
        if not levels or not all(math.isfinite(level) and level >= 0 for level in levels):
            raise PolicyError(f"threshold steps {self.steps!r} need at least one finite intensity >= 0 in g/kWh")
        if any(low >= high for low, high in pairwise(levels)):
            raise PolicyError(f"threshold steps {self.steps!r} must rise in intensity")
        if not 0 <= self.control_share < 1:
            raise PolicyError(f"control_share is {self.control_share}; give a share in [0, 1)")

    @property
    def name(self) -> str:
        """`threshold`."""
        return "threshold"

    @property
    def version(self) -> str:
        """The steps and the control share in words."""
        steps = ",".join(f"{level:g}:{directive}" for level, directive in self.steps)
        return f"threshold:{steps};control={self.control_share:g}"

    @property
    def reach(self) -> frozenset[str]:
        """The steps' directives and `full`."""
        return frozenset({"full", *(directive for _, directive in self.steps)})

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """Draw the control group first, then take the step; the propensity counts both ways to reach `full`."""
        target, reason = self._target(observation.intensity_g_per_kwh, candidates)
        # Drawn for every request, also where the step is `full` itself: the control group must be a fair sample
        # of all requests, not of the dirty hours alone.
        control = self.control_share > 0 and rng.random() < self.control_share
        if target == "full":
            return Decision(directive="full", propensity=1.0, reason=reason, group="control" if control else "policy")
        if control:
            return Decision(directive="full", propensity=self.control_share, reason="control group", group="control")
        return Decision(directive=target, propensity=1.0 - self.control_share, reason=reason)

    def _target(self, intensity: float | None, candidates: Sequence[str]) -> tuple[str, str]:
        if intensity is None:
            return "full", "intensity unknown"
        reached = [(level, directive) for level, directive in self.steps if intensity >= level]
        if not reached:
            return "full", f"below {self.steps[0][0]:g} g/kWh"
        # A directive that this call cannot carry gives way to the next milder one that it can.
        for level, directive in reversed(reached):
            if directive in candidates:
                return directive, f"at or above {level:g} g/kWh"
        return "full", "no stronger directive can be applied to this call"
