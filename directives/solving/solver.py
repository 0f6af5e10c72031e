"""`solve`: what the program is asked, and the plan made of its answer."""

from __future__ import annotations

from dataclasses import replace

from directives.constraints import Constraints
from directives.errors import Infeasible, NotYetKnown
from directives.evidence import Evidence
from directives.plan import Expected, Plan
from directives.solving.asked import Asked
from directives.solving.infeasible import explained
from directives.solving.problem import Problem
from directives.solving.program import Program
from directives.solving.table import explored_of, fingerprint, shares_of
from directives.solving.tree import Floats

__all__ = ["solve"]

_LEAST = 1e-6

_PARTS = (1.0, 0.5, 0.25, 0.1, 0.0)
"""Of the exploration that is asked for, from the most on."""


def solve(
    evidence: Evidence,
    constraints: Constraints,
    *,
    pue: float = 1.0,
    embodied_g_per_s: float = 0.0,
    intensity_g_per_kwh: float | None = None,
) -> Plan:
    """The plan that emits least and meets the constraints, given what is known.

    A directive whose energy is unknown, or that is lossy and was never judged in the bin or a parent of it, gets no
    share but in exploration; without a mix there is no total in which a floor could be held, and only lossless
    directives are used. Without any intensity the plan is the one that uses least energy. The work of a task that is
    pinned to a directive never judged counts in no floor: that is the user's own decision. Where the floors have no
    room for all the exploration that is asked for, there is less of it.

    Args:
        evidence: what is known.
        constraints: what is asked.
        pue: facility energy over IT energy.
        embodied_g_per_s: emissions of making the hardware, in g CO2e per s of its use.
        intensity_g_per_kwh: grid intensity now, used where the evidence has no past ones; None for unknown.

    Raises:
        Infeasible: constraints that cannot hold together; `NotYetKnown` where one needs what is unknown.
        PolicyError: evidence that contradicts itself.
    """
    for part in _PARTS:
        asked = replace(constraints, explore_share=part * constraints.explore_share)
        try:
            return _solved(evidence, asked, pue, embodied_g_per_s, intensity_g_per_kwh)
        except NotYetKnown:
            raise
        except Infeasible as exc:
            infeasible = exc
            if not constraints.explore_share:
                break
    raise infeasible


def _solved(
    evidence: Evidence, constraints: Constraints, pue: float, embodied_g_per_s: float, intensity_g_per_kwh: float | None
) -> Plan:
    problem = Problem.of(evidence, constraints, intensity_g_per_kwh)
    asked = Asked.of(problem, evidence.requests_per_day, pue, embodied_g_per_s)
    program = Program(problem, asked.floors, asked.limits)
    solution = program.minimised(asked.objective, price_of_score=asked.price_of_score)
    if solution is None:
        raise explained(problem, asked)
    levels = shares_of(problem, solution.shares, asked.cost)
    explored = explored_of(problem, levels[0])
    pinned = dict(constraints.pinned)
    edges = problem.levels.edges_g_per_kwh
    return Plan(
        edges_g_per_kwh=edges,
        levels=levels,
        explored=explored,
        explore_share=constraints.explore_share,
        control_share=constraints.control_share,
        pinned=pinned,
        expected=_expected(problem, asked, program, solution.shares),
        binding=asked.binding(program, solution.shares),
        version=fingerprint(edges, levels, explored, constraints.explore_share, constraints.control_share, pinned),
    )


def _expected(problem: Problem, asked: Asked, program: Program, shares: Floats) -> Expected:
    quality = quality_low = None
    served = (shares > _LEAST).any(axis=0) & (problem.weight > 0)[:, None]
    if (served & ~problem.lossless).any() and problem.counts[problem.weight > 0].any():
        quality = program.quality(shares)
        quality_low = program.quality_low(
            shares, problem.levels.share, next((f.totals for f in reversed(asked.floors) if not f.sought), None)
        )
    return Expected(
        carbon_g=None if asked.carbon is None else asked.carbon.at(shares),
        full_carbon_g=None if asked.carbon is None else asked.carbon.full,
        energy_j=None if asked.energy is None else asked.energy.at(shares),
        full_energy_j=None if asked.energy is None else asked.energy.full,
        quality=quality,
        quality_low=quality_low,
    )
