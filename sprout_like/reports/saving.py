"""The measured saving: requests under a policy against its randomised control group, with a 95 % interval."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Select, func, select

from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G
from sprout_like.ledger.schema import RequestRow
from sprout_like.reports.judging import Judging

__all__ = ["MeasuredSaving", "moments", "saving_of", "savings"]

_Z_95: Final = 1.959964
"""Two-sided 95 % of the normal distribution."""

_Scope = tuple[str, str]
_Provenance = tuple[str | None, str | None]
_Key = tuple[str, Literal["energy", "carbon"], _Provenance]


@dataclass(frozen=True, slots=True)
class MeasuredSaving:
    """Requests under a policy against its randomised control group, per request, in the same span.

    Attributes:
        policy_version: both groups were drawn by it.
        quantity: `energy`, or `carbon` (operational, settled where it is).
        intensity_kind, intensity_factors: of the grams compared; None for energy, to which they do not matter.
        policy_n, control_n: rows compared, those that know the quantity.
        saving: 1 − mean of the policy's rows / mean of the control's, each of the policy's rows bearing the part of
            what judging cost that falls on one answered request of its model.
        low, high: 95 % interval of `saving`.
        judging: by how much judging lowered `saving`.
    """

    policy_version: str
    quantity: Literal["energy", "carbon"]
    intensity_kind: str | None
    intensity_factors: str | None
    policy_n: int
    control_n: int
    saving: float
    low: float
    high: float
    judging: float = 0.0


@dataclass(slots=True)
class _Moments:
    """Count, sum and sum of squares: all that a mean and its variance need.

    Attributes:
        energy_j: of the same rows. scopes: how many of them are of which model and catalogue.
    """

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    energy_j: float = 0.0
    scopes: Counter[_Scope] = field(default_factory=Counter)

    @property
    def sums(self) -> tuple[int, float, float]:
        """All three."""
        return self.n, self.total, self.squares

    def add(self, scope: _Scope, energy_j: float | None, n: int, total: float | None, squares: float | None) -> None:
        """Another part of the same group; the sums are None where no row of it knows the quantity."""
        self.n += n
        self.total += total or 0.0
        self.squares += squares or 0.0
        self.energy_j += energy_j or 0.0
        self.scopes[scope] += n


def moments() -> Select[*tuple[Any, ...]]:
    """Query for count, sum and sum of squares of energy and carbon.

    They are per policy version, model, catalogue, provenance and group. Only requests that were answered and whose
    group was drawn at random are compared.
    """
    keys = (
        RequestRow.policy_version,
        RequestRow.model,
        RequestRow.catalogue_version,
        KIND,
        FACTORS,
        RequestRow.decision_group,
    )
    figures = [
        figure
        for quantity in (RequestRow.energy_j, OPERATIONAL_G)
        for figure in (func.count(quantity), func.sum(quantity), func.sum(quantity * quantity))
    ]
    return (
        select(*keys, *figures)
        .where(RequestRow.purpose == "request", RequestRow.status == "ok", RequestRow.propensity.is_not(None))
        .group_by(*keys)
    )


def savings(rows: Iterable[Sequence[Any]], judging: Iterable[Judging]) -> list[MeasuredSaving]:
    """The savings in the answer to `moments`: energy over all intensities, carbon per kind and factors.

    What judging a model cost is spread evenly over all its answered requests, control group and all: each request
    under the policy bears its own part and no other's.
    """
    costs = {(cost.model, cost.catalogue_version): cost for cost in judging}
    compared: defaultdict[_Key, dict[str, _Moments]] = defaultdict(
        lambda: {"policy": _Moments(), "control": _Moments()}
    )
    for version, model, catalogue, kind, factors, group, *figures in rows:
        if group not in ("policy", "control"):
            continue
        scope, energy_j = (model, catalogue), figures[1]
        compared[version, "energy", (None, None)][group].add(scope, energy_j, *figures[:3])
        compared[version, "carbon", (kind, factors)][group].add(scope, energy_j, *figures[3:])
    found = []
    for key in sorted(compared, key=lambda k: (k[0], k[1] != "energy", *(word or "" for word in k[2]))):
        version, quantity, provenance = key
        policy, control = compared[key]["policy"], compared[key]["control"]
        burden = _burden(key, policy, control, costs)
        saving = saving_of(policy.sums, control.sums, burden)
        if saving is not None:
            lowered = burden * control.n / control.total
            found.append(MeasuredSaving(version, quantity, *provenance, policy.n, control.n, *saving, lowered))
    return found


def _burden(key: _Key, policy: _Moments, control: _Moments, costs: Mapping[_Scope, Judging]) -> float:
    """What judging cost per request under the policy, in J or in g CO2e."""
    _, quantity, provenance = key
    energy_j = policy.energy_j + control.energy_j
    g_per_j = (policy.total + control.total) / energy_j if energy_j > 0 else 0.0
    parts = []
    for scope, n in policy.scopes.items():
        if n and scope in costs:
            of = costs[scope]
            cost = of.energy_j if quantity == "energy" else of.operational_g(*provenance, g_per_j)
            parts.append(n / policy.n * cost / of.calls)
    return math.fsum(parts)


def saving_of(
    policy: tuple[int, float, float], control: tuple[int, float, float], burden: float = 0.0
) -> tuple[float, float, float] | None:
    """Saving and its 95 % interval, from count, sum and sum of squares of both groups.

    `burden` is a known cost that each request under the policy bears beside its own.

    The interval is that of the ratio of two independent means by the delta method on its logarithm: the variance of
    ln(a/b) is var(a)/(n·a²) + var(b)/(m·b²) (Casella & Berger, Statistical Inference, 2nd ed., section 5.5.4).

    Returns:
        saving, low, high; None with fewer than two rows in a group, or where a mean is not above zero.
    """
    relative_variance = 0.0
    means = []
    for (n, total, squares), extra in ((policy, burden), (control, 0.0)):
        if n < 2 or not total > 0:
            return None
        mean = total / n
        variance = max(0.0, (squares - n * mean * mean) / (n - 1))
        relative_variance += variance / (n * (mean + extra) ** 2)
        means.append(mean + extra)
    ratio = means[0] / means[1]
    spread = math.exp(_Z_95 * math.sqrt(relative_variance))
    return 1 - ratio, 1 - ratio * spread, 1 - ratio / spread
