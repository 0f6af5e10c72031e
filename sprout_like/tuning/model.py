"""What the estimators are told of costs: the evidence, filled in as the solver fills it in."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from directives import FULL
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence
from directives.off_policy import Context, Model
from directives.plan import kin
from directives.solving.problem import Problem
from directives.workload import Bin

__all__ = ["energy_model", "scaled"]


def energy_model(evidence: Evidence, constraints: Constraints) -> Model:
    """Energy per request in J by context and directive; what nobody knows is taken to cost what `full` does.

    A figure that stems from a parent has the widest relative error among the directive's cells, as ratios to `full`
    differ between bins.
    """
    problem = Problem.of(evidence, constraints, None)
    own = {(cell.bin, cell.directive): cell.energy_j for cell in evidence.cells if cell.energy_j is not None}
    widest: defaultdict[str, float] = defaultdict(float)
    for (_, name), energy in own.items():
        if energy.sd is not None and energy.mean > 0:
            widest[name] = max(widest[name], energy.sd / math.sqrt(energy.n) / energy.mean)
    columns = {name: place for place, name in enumerate(problem.directives)}

    known: dict[tuple[Bin, str], Estimate] = {}

    def looked_up(home: Bin, name: str) -> Estimate:
        if (home, name) in own:
            return own[home, name]
        node = next(node for node in (*kin(home), Bin()) if node in problem.tree.index)
        row = problem.energy_j[problem.tree.index[node]]
        mean = float(row[columns[name]]) if name in columns else math.nan
        if math.isnan(mean):
            return Estimate(float(row[columns[FULL.name]]), None, 1)
        return Estimate(mean, widest[name] * mean if widest[name] else None, 1)

    def model(context: Context, directive: str) -> Estimate:
        key = (context.bin, directive)
        if key not in known:
            known[key] = looked_up(*key)
        return known[key]

    return model


def scaled(model: Model, factor: Mapping[float | None, float]) -> Model:
    """The model times a factor by the context's intensity: from J to g CO2e."""

    def grams(context: Context, directive: str) -> Estimate:
        energy, per = model(context, directive), factor[context.intensity_g_per_kwh]
        return Estimate(energy.mean * per, None if energy.sd is None else energy.sd * per, energy.n)

    return grams
