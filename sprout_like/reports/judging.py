"""What judging cost: it is charged to every saving that it made possible."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Subquery, case, func, select

from sprout_like.ledger.schema import EvaluationRow

__all__ = ["Judging", "Kind", "bearers", "judge_costs", "judging_of", "runs_costs"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Generations for evaluations at one kind of intensity.

    Attributes:
        intensity_kind, intensity_factors: as in the rows.
        energy_j: in J. operational_g: what that emitted, in g CO2e.
    """

    intensity_kind: str | None
    intensity_factors: str | None
    energy_j: float
    operational_g: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Evaluations of one model under one catalogue in a span. Sums are over what is known.

    Attributes:
        model, catalogue_version: whose requests bear it.
        evaluations: runs of the evaluator.
        energy_j: of the generations for them and of the judges, in J.
        kinds: the generations whose emissions are known.
        judges_g: of the judges, in g CO2e. Their grams say no kind: they are charged in full to each, which overstates
            rather than understates what judging cost where a ledger mixes kinds.
        unpriced_j: the part of `energy_j` whose emissions are unknown, in J.
        unknown: evaluations whose judge's energy is unknown, as at somebody else's endpoint, and generations for
            evaluations whose energy is: they are charged to nothing.
        calls: answered requests of the model in the span, all of which bear an equal part.
        rows: of these calls, a batch counted as its rows.
    """

    model: str
    catalogue_version: str
    evaluations: int = 0
    energy_j: float = 0.0
    kinds: Sequence[Kind] = ()
    judges_g: float = 0.0
    unpriced_j: float = 0.0
    unknown: int = 0
    calls: int = 0
    rows: int = 0

    def unlike_j(self, kind: str | None, factors: str | None) -> float:
        """Energy without grams of that kind, in J."""
        others = (k.energy_j for k in self.kinds if (k.intensity_kind, k.intensity_factors) != (kind, factors))
        return math.fsum((self.unpriced_j, *others))

    def operational_g(self, kind: str | None, factors: str | None, g_per_j: float) -> float:
        """All of it in g CO2e of that kind; energy without such grams at `g_per_j`, that of those who bear it."""
        mine = (k.operational_g for k in self.kinds if (k.intensity_kind, k.intensity_factors) == (kind, factors))
        return math.fsum((self.judges_g, *mine, self.unlike_j(kind, factors) * g_per_j))

    def most_g(self, g_per_j: float) -> float:
        """Likewise, of the kind of which it is most."""
        known = {(k.intensity_kind, k.intensity_factors) for k in self.kinds} or {(None, None)}
        return max(self.operational_g(*kind, g_per_j) for kind in known)


def runs_costs(facts: Subquery) -> Select[*tuple[Any, ...]]:
    """Query for the generations, by model, catalogue, kind and factors.

    Energy of known emissions, these emissions, energy of unknown emissions, and how many of unknown energy.
    """
    c = facts.c
    keys = (c.model, c.catalogue_version, c.kind, c.factors)
    # Alike as they are, all requests of a line of known energy have grams or none has.
    priced_j = c.energy_j * c.carbon_known_n / c.energy_known_n
    return (
        select(
            *keys,
            func.sum(case((c.carbon_known_n > 0, priced_j))),
            func.sum(c.operational_g),
            func.sum(case((c.carbon_known_n < c.energy_known_n, c.energy_j - priced_j))),
            func.sum(c.requests_n - c.energy_known_n),
        )
        .where(c.purpose == "evaluation")
        .group_by(*keys)
    )


def judge_costs() -> Select[*tuple[Any, ...]]:
    """Query for the evaluations, by model and catalogue.

    How many, their judges' energy, carbon, energy of unknown carbon, and how many of unknown energy.
    """
    of = EvaluationRow
    keys = (of.model, of.catalogue_version)
    return select(
        *keys,
        func.count(),
        func.sum(of.judge_energy_j),
        func.sum(of.judge_operational_g),
        func.sum(case((of.judge_operational_g.is_(None), of.judge_energy_j))),
        func.sum(case((of.judge_energy_j.is_(None), 1), else_=0)),
    ).group_by(*keys)


def bearers(facts: Subquery, models: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Query for the answered requests of those models, by model and catalogue: calls and their rows."""
    c = facts.c
    keys = (c.model, c.catalogue_version)
    return (
        select(*keys, func.sum(c.requests_n), func.sum(func.coalesce(c.rows_n, c.requests_n)))
        .where(c.purpose == "request", c.status == "ok", c.model.in_(models))
        .group_by(*keys)
    )


def judging_of(
    runs: Iterable[Sequence[Any]], judges: Iterable[Sequence[Any]], bearing: Iterable[Sequence[Any]]
) -> list[Judging]:
    """The answers to `runs_costs`, `judge_costs` and `bearers` together, by model and catalogue."""
    runs_of: defaultdict[tuple[str, str], list[Sequence[Any]]] = defaultdict(list)
    for model, catalogue, *run in runs:
        runs_of[model, catalogue].append(run)
    judges_of = {(model, catalogue): judge for model, catalogue, *judge in judges}
    bearing_of = {(model, catalogue): counts for model, catalogue, *counts in bearing}
    found = []
    for scope in sorted({*runs_of, *judges_of}):
        evaluations, judge_j, judge_g, judge_unpriced_j, unknown = judges_of.get(scope, (0, None, None, None, 0))
        kinds = (
            Kind(kind, factors, energy_j or 0.0, run_g)
            for kind, factors, energy_j, run_g, _, _ in runs_of[scope]
            if run_g is not None
        )
        in_order = tuple(sorted(kinds, key=lambda kind: (kind.intensity_kind or "", kind.intensity_factors or "")))
        runs_unpriced_j = math.fsum(run[4] or 0.0 for run in runs_of[scope])
        calls, rows = bearing_of.get(scope, (0, 0))
        found.append(
            Judging(
                model=scope[0],
                catalogue_version=scope[1],
                evaluations=evaluations,
                energy_j=math.fsum((judge_j or 0.0, runs_unpriced_j, *(kind.energy_j for kind in in_order))),
                kinds=in_order,
                judges_g=judge_g or 0.0,
                unpriced_j=runs_unpriced_j + (judge_unpriced_j or 0.0),
                unknown=unknown + sum(int(run[5]) for run in runs_of[scope]),
                calls=int(calls),
                rows=int(rows),
            )
        )
    return found
