"""From groups of rows to what the estimators read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from directives import FULL
from directives.off_policy import Context, Logged
from directives.plan import Plan
from directives.policies.contextual import ContextualPolicy
from sprout_like.tuning.aggregate import Group

__all__ = ["Log", "chances_of", "inside", "read_log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Requests with a known propensity.

    Attributes:
        energy: those of known energy. carbon: those of known, comparable grams.
        requests: how many the first are.
        g_per_j: mean g CO2e per J by the intensity of their context.
    """

    energy: Sequence[Logged]
    carbon: Sequence[Logged]
    requests: float
    g_per_j: Mapping[float | None, float]


def read_log(found: Sequence[Group], edges_g_per_kwh: Sequence[float], reach: frozenset[str]) -> Log:
    """The groups that can be estimated from.

    A row names the directives that fitted among those that its policy could choose. Of those that a candidate could
    choose and that policy could not, nobody asked whether they fitted; they are taken to.

    Args:
        found: the groups.
        edges_g_per_kwh: those that the levels of the groups lie between.
        reach: all directives that the policies compared can choose.
    """
    asked: defaultdict[str, set[str]] = defaultdict(set)
    drawn = [group for group in found if group.drawn and group.energy_n]
    for group in drawn:
        asked[group.policy].update(group.candidates)
    energy, carbon = [], []
    joules: defaultdict[float | None, float] = defaultdict(float)
    grams: defaultdict[float | None, float] = defaultdict(float)
    intensities = inside(edges_g_per_kwh)
    for group in drawn:
        context = Context(
            bin=group.bin,
            intensity_g_per_kwh=None if group.level is None else intensities[group.level],
            candidates=tuple(sorted({FULL.name, *group.candidates} | (reach - asked[group.policy]))),
        )
        energy.append(_logged(group, context, group.energy))
        if group.carbon_g is not None:
            carbon.append(_logged(group, context, group.carbon))
            joules[context.intensity_g_per_kwh] += group.energy_j
            grams[context.intensity_g_per_kwh] += group.carbon_g
    per = {intensity: grams[intensity] / total if total > 0 else 0.0 for intensity, total in joules.items()}
    requests = math.fsum(group.n * group.size for group in energy)
    return Log(energy=energy, carbon=carbon, requests=requests, g_per_j=per)


def chances_of(plan: Plan) -> _Chances:
    """The plan as the estimators ask for it; each context is asked for many times."""
    return _Chances(ContextualPolicy(plan), {})


@dataclass(frozen=True, slots=True)
class _Chances:
    policy: ContextualPolicy
    known: dict[Context, Mapping[str, float]]

    def __call__(self, context: Context) -> Mapping[str, float]:
        if context not in self.known:
            self.known[context] = self.policy.chances(context.bin, context.intensity_g_per_kwh, context.candidates)
        return self.known[context]


def inside(edges_g_per_kwh: Sequence[float]) -> list[float]:
    """An intensity of each level: its lower edge, which belongs to it; of the lowest, the one just below its upper."""
    if not edges_g_per_kwh:
        return [0.0]
    return [math.nextafter(edges_g_per_kwh[0], -math.inf), *edges_g_per_kwh]


def _logged(group: Group, context: Context, cost: tuple[float, float, float]) -> Logged:
    return Logged(
        context=context,
        directive=group.directive,
        size=group.size,
        n=group.n,
        inverse=group.inverse,
        inverse_squares=group.inverse_squares,
        cost=cost[0],
        cost_twice=cost[1],
        cost_squares=cost[2],
    )
