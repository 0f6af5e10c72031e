"""Which constraints cannot hold together, and what would."""

from __future__ import annotations

import math

import numpy as np

from directives.errors import Infeasible
from directives.solving.asked import Asked, floors_of
from directives.solving.problem import Problem
from directives.solving.program import Floor, Program

__all__ = ["explained"]


def explained(problem: Problem, asked: Asked) -> Infeasible:
    """The error that names a smallest set of constraints that cannot hold, and how far each could be kept.

    The set is found by leaving out one after the other and keeping out those without which the rest still cannot
    hold (the deletion filter of Chinneck and Dravnieks 1991).
    """
    floors = [floor for floor in asked.floors if not floor.sought]
    names = tuple(dict.fromkeys([floor.name for floor in floors] + [limit.name for limit in asked.limits]))
    program = Program(problem, tuple(floors), asked.limits)
    left = set(names)
    for name in names:
        others = frozenset(names) - (left - {name})
        if program.minimised(np.zeros_like(asked.cost), without=others) is None:
            left.discard(name)
    guilty = tuple(name for name in names if name in left)
    told = {name: _told(name, problem, asked) for name in guilty}
    most = []
    for name in guilty:
        held = frozenset(guilty) - {name}
        given = f"with {' and '.join(told[other] for other in guilty if other in held)}, " if held else ""
        most.append(f"{given}{name.partition(' ')[0]} {_attainable(problem, asked, name, held)}")
    cause = _cause(problem) if set(guilty) <= {"floor", "mean_floor"} else ()
    because = f"; it is {' and '.join(cause)} that cost it" if cause else ""
    together = " together" if len(guilty) > 1 else ""
    return Infeasible(
        f"{' and '.join(told.values())} cannot hold{together}: {'; '.join(most)}{because}",
        tuple(dict.fromkeys(name.partition(" ")[0] for name in (*guilty, *cause))),
    )


def _told(name: str, problem: Problem, asked: Asked) -> str:
    floor, mean_floor = floors_of(problem)
    if name in ("floor", "mean_floor"):
        return f"{name} {floor if name == 'floor' else mean_floor:g}"
    limit = next(limit for limit in asked.limits if limit.name == name)
    head, _, tail = name.partition(" ")
    return f"{head} {limit.most:g} {tail}".strip()


def _attainable(problem: Problem, asked: Asked, name: str, held: frozenset[str]) -> str:
    """The best figure of one constraint while some others hold."""
    floors = tuple(floor for floor in asked.floors if floor.name in held)
    limits = tuple(limit for limit in asked.limits if limit.name in held)
    sought = [floor for floor in asked.floors if floor.name == name]
    if sought:
        score = problem.totals(0.0)
        goals = tuple(Floor(name="score", totals=score, share=floor.share, sought=True) for floor in sought)
        best = Program(problem, (*floors, *goals), limits).minimised(np.zeros_like(asked.cost), price_of_score=1.0)
        if best is None:
            return "of any height is too much"
        kept = min(Program(problem, (), ()).quality_low(best.shares, floor.share) for floor in sought)
        return f"{math.floor(kept * 1e4) / 1e4:g} is the most"
    rows = [limit for limit in asked.limits if limit.name == name]
    best = Program(problem, floors, limits).minimised(sum((row.each for row in rows), np.zeros_like(asked.cost)))
    if best is None:
        return "of any size is too little"
    return f"{max(row.at(best.shares) for row in rows):.4g} is the least"


def _cause(problem: Problem) -> tuple[str, ...]:
    served = np.array(problem.tree.bins, dtype=object)[problem.weight > 0]
    return ("pinned tasks",) if any(node.task in problem.constraints.pinned for node in served) else ()
