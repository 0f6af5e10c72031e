"""Always the same directive: how `policy="full"` pins one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from directives.policy import Decision, Observation, Uniform

__all__ = ["FixedPolicy"]


@dataclass(frozen=True, slots=True)
class FixedPolicy:
    """Serves `directive` wherever it can be applied, else `full`."""

    directive: str

    @property
    def name(self) -> str:
        """`fixed`."""
        return "fixed"

    @property
    def version(self) -> str:
        """The directive it serves."""
        return f"fixed:{self.directive}"

    @property
    def reach(self) -> frozenset[str]:
        """The directive and `full`."""
        return frozenset({"full", self.directive})

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:  # noqa: ARG002
        """Serve the pinned directive; propensity 1."""
        if self.directive in candidates:
            return Decision(directive=self.directive, propensity=1.0, reason="pinned")
        return Decision(directive="full", propensity=1.0, reason=f"{self.directive} cannot be applied to this call")
