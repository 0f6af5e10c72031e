"""What a plan is asked for, as sums over levels, bins and directives: an objective, floors and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from directives.errors import NotYetKnown
from directives.solving.footprint import PerRequest, carbon_g, filled_with_full
from directives.solving.problem import Problem, latency_limit_s
from directives.solving.program import Floor, Limit, Program
from directives.solving.tree import Floats

__all__ = ["Asked"]

_CLOSE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The program's objective and rows.

    Attributes:
        cost: g CO2e per request by level, node and directive; J where no intensity is known.
        objective: what is minimised, likewise, weighted by how much work there is.
        price_of_score: what one unit of score is worth in it.
        floors, limits: the constraints; a price seeks a score, which is a floor too.
        carbon, energy: mean per request, in g CO2e and J; None where unknown.
        requests_per_day: None where unknown.
    """

    cost: Floats
    objective: Floats
    price_of_score: float
    floors: tuple[Floor, ...]
    limits: tuple[Limit, ...]
    carbon: PerRequest | None
    energy: PerRequest | None
    requests_per_day: float | None

    @classmethod
    def of(cls, problem: Problem, requests_per_day: float | None, pue: float, embodied_g_per_s: float) -> Asked:
        """Of a problem's constraints.

        Raises:
            NotYetKnown: a constraint needs what is unknown.
        """
        wanted, level_share, weight = problem.constraints, problem.levels.share, problem.weight
        energy_j, known = filled_with_full(problem.energy_j)
        energy = np.broadcast_to(energy_j, (len(level_share), *energy_j.shape))
        grams = carbon_g(problem, pue, embodied_g_per_s)
        cost = energy if grams is None else grams
        complete = bool(known[weight > 0].all())
        total = PerRequest.of(problem, cost, level_share, weight)
        carbon = total if grams is not None and complete else None
        objective, price_of_score = total.each, 0.0
        if wanted.price_per_kg is not None and wanted.answer_value is not None:
            if carbon is None:
                raise _in_the_dark("price_per_kg", wanted.price_per_kg, no_intensity=grams is None)
            objective = wanted.price_per_kg / 1000 * objective
            price_of_score = wanted.answer_value / problem.full_score
        limits = list(_latencies(problem))
        if (budget := wanted.carbon_budget_g_per_day) is not None:
            if carbon is None or requests_per_day is None:
                raise _in_the_dark("carbon_budget_g_per_day", budget, no_intensity=grams is None)
            each, fixed = requests_per_day * carbon.each, requests_per_day * carbon.fixed
            limits.append(Limit(name="carbon_budget_g_per_day", each=each, fixed=fixed, most=budget))
        return cls(
            cost=cost,
            objective=objective,
            price_of_score=price_of_score,
            floors=tuple(_floors(problem, sought=price_of_score > 0)),
            limits=tuple(limits),
            carbon=carbon,
            energy=PerRequest.of(problem, energy, level_share, weight) if complete else None,
            requests_per_day=requests_per_day,
        )

    def binding(self, program: Program, shares: Floats) -> tuple[str, ...]:
        """Names of the floors and limits without room left."""
        close = _CLOSE * program.problem.full_total
        names = [floor.name for floor in self.floors if not floor.sought and program.low(floor, shares) < close]
        names += [limit.name for limit in self.limits if limit.at(shares) > limit.most * (1 - _CLOSE)]
        return tuple(dict.fromkeys(names))


def _floors(problem: Problem, *, sought: bool) -> Iterator[Floor]:
    share = problem.levels.share
    floor, mean_floor = floors_of(problem)
    if floor is not None and (len(share) > 1 or mean_floor is None):
        totals = problem.totals(floor)
        for level in np.eye(len(share)):
            yield Floor(name="floor", totals=totals, share=level)
    if mean_floor is not None:
        yield Floor(name="mean_floor", totals=problem.totals(mean_floor), share=share)
    if sought:
        yield Floor(name="score", totals=problem.totals(0.0), share=share, sought=True)


def floors_of(problem: Problem) -> tuple[float | None, float | None]:
    """The floor and the mean floor; None for those that ask for nothing more."""
    floor, mean_floor = problem.constraints.floor, problem.constraints.mean_floor
    if floor is not None and mean_floor is None:
        mean_floor = (floor + 1) / 2
    if floor is not None and mean_floor is not None and mean_floor <= floor:
        mean_floor = None
    return floor, mean_floor


def _latencies(problem: Problem) -> Iterator[Limit]:
    limits = problem.constraints.latency_limit_s
    time_s, known = filled_with_full(problem.time_s)
    served = problem.weight > 0
    tasks = np.array([node.task for node in problem.tree.bins])
    for task in dict.fromkeys(tasks[served].tolist()) if limits else ():
        most = latency_limit_s(task, limits)
        if np.isinf(most):
            continue
        here = (tasks == task) & served
        if not known[here].all():
            raise NotYetKnown(
                f"latency_limit_s {most:g} of task {task!r}: the time of 'full' was never measured for it; "
                "calibrate, or serve some requests first",
                ("latency_limit_s",),
            )
        weight = np.where(here, problem.weight, 0.0) / problem.weight[here].sum()
        for level in np.eye(len(problem.levels.share)):
            time = np.broadcast_to(time_s, (len(level), *time_s.shape))
            mean = PerRequest.of(problem, time, level, weight)
            yield Limit(name=f"latency_limit_s of task {task!r}", each=mean.each, fixed=mean.fixed, most=most)


def _in_the_dark(name: str, figure: float, *, no_intensity: bool) -> NotYetKnown:
    missing = "the grid's intensity" if no_intensity else "the energy of 'full' or the number of requests per day"
    return NotYetKnown(
        f"{name} {figure:g}: {missing} is unknown, so carbon cannot be told; give a grid source and calibrate, "
        f"or serve some requests first, or drop it",
        (name,),
    )
