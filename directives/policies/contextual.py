"""The solved plan, served: one look-up and one draw per request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from directives.plan import Plan, Shares, kin
from directives.policy import Decision, Group, Observation, Uniform
from directives.workload import Bin, bin_of

__all__ = ["ContextualPolicy"]

FULL = "full"
_Way = tuple[float, str, Group, str]


@dataclass(frozen=True, slots=True)
class ContextualPolicy:
    """Serves a plan: the control group first, then pinned tasks, exploration, and the shares of the request's bin.

    What cannot be applied to a call leaves its part of exploration to the others explored, and its share to `full`.
    """

    plan: Plan
    version: str = field(init=False)
    reach: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        plan = self.plan
        shares = (name for level in plan.levels for row in level.values() for name in row)
        explored = (name for names in plan.explored.values() for name in names)
        object.__setattr__(self, "version", f"contextual:{plan.version}")
        object.__setattr__(self, "reach", frozenset({FULL, *shares, *explored, *plan.pinned.values()}))

    @property
    def name(self) -> str:
        """`contextual`."""
        return "contextual"

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """Draw once; the propensity counts all ways to the directive drawn."""
        ways = list(self._ways(bin_of(observation), observation.intensity_g_per_kwh, candidates))
        draw = rng.random()
        # Rounding may leave the last way a hair short of 1; the draw then ends there.
        for chance, directive, group, reason in ways:  # noqa: B007 - the last is kept
            draw -= chance
            if draw < 0:
                break
        propensity = sum(chance for chance, name, _, _ in ways if name == directive)
        return Decision(directive=directive, propensity=min(propensity, 1.0), reason=reason, group=group)

    def chances(self, home: Bin, intensity_g_per_kwh: float | None, candidates: Sequence[str]) -> dict[str, float]:
        """Probability by directive, for requests of a bin; they sum to 1."""
        chances: dict[str, float] = {}
        for chance, directive, _, _ in self._ways(home, intensity_g_per_kwh, candidates):
            chances[directive] = chances.get(directive, 0.0) + chance
        return chances

    def _ways(self, home: Bin, intensity_g_per_kwh: float | None, candidates: Sequence[str]) -> Iterator[_Way]:
        """Each way to a directive, with its probability, which is above 0; they sum to 1."""
        plan = self.plan
        rest = 1.0
        if plan.control_share > 0:
            yield plan.control_share, FULL, "control", "control group"
            rest -= plan.control_share
        pinned = plan.pinned.get(home.task)
        if pinned is not None:
            fits = pinned in candidates
            yield rest, pinned if fits else FULL, "policy", "pinned" if fits else f"{pinned} cannot be applied"
            return
        index = plan.level(intensity_g_per_kwh)
        home, shares = _look_up(plan, index, home)
        tried = [name for name in plan.explored.get(home, ()) if name in candidates] if plan.explore_share > 0 else []
        for name in tried:
            yield plan.explore_share / len(tried), name, "policy", "explored"
        if tried:
            rest -= plan.explore_share
        reason = f"plan, level {index + 1} of {len(plan.levels)}"
        for name, share in shares.items():
            if share > 0:
                fits = name in candidates
                yield rest * share, name if fits else FULL, "policy", reason if fits else f"{name} cannot be applied"


def _look_up(plan: Plan, level: int, home: Bin) -> tuple[Bin, Shares]:
    table = plan.levels[level]
    for node in kin(home):
        shares = table.get(node)
        if shares is not None:
            return node, shares
    return home, {FULL: 1.0}
