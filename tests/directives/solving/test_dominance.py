"""What is left out of a program is never needed: something kept costs no more and keeps every floor as well."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from directives.constraints import Constraints
from directives.evidence import Evidence, Known
from directives.solving.asked import Asked
from directives.solving.dominance import undominated
from directives.solving.linear import LinearProgram, Rows
from directives.solving.problem import Problem
from directives.solving.program import Program
from directives.workload import Bin
from tests.directives.solving.test_solving_floors import MANY, cell, evidences


def asked_of(problem: Problem) -> Asked:
    return Asked.of(problem, 1000.0, 1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(evidences(least=3), st.floats(0.3, 0.95), st.integers(0, 2**32 - 1))
def test_a_share_of_what_is_left_out_can_move_to_something_kept(evidence, floor, seed) -> None:
    """Whatever all the other shares are."""
    problem = Problem.of(evidence, Constraints(floor=floor, confidence=0.8), 100.0)
    asked = asked_of(problem)
    program = Program(problem, asked.floors, asked.limits)
    kept = undominated(problem, [floor.totals for floor in asked.floors], [asked.objective])
    mask = np.broadcast_to(problem.selectable & (problem.weight > 0)[:, None], kept.shape)
    assert not (kept & ~mask).any()
    assume((mask & ~kept).any())
    shares = np.where(mask, np.random.default_rng(seed).random(kept.shape), 0.0)
    shares /= np.maximum(shares.sum(axis=2, keepdims=True), 1e-9)
    for level, node, directive in np.argwhere(mask & ~kept):
        others = np.flatnonzero(kept[level, node])
        assert any(as_good(asked, program, shares, (level, node), directive, other) for other in others)


def as_good(asked: Asked, program: Program, shares, place: tuple[int, int], old: int, new: int) -> bool:
    moved = shares.copy()
    moved[(*place, new)] += moved[(*place, old)]
    moved[(*place, old)] = 0.0
    cheaper = (asked.objective * moved).sum() <= (asked.objective * shares).sum() + 1e-12
    return cheaper and all(program.low(f, moved) >= program.low(f, shares) - 1e-9 for f in asked.floors)


def test_of_two_that_are_alike_the_first_is_kept() -> None:
    cells = [cell(name, "t", 500.0, 0.5, 0.5) for name in ("full", "brief", "very_brief")]
    problem = Problem.of(_alone(cells), Constraints(floor=0.9), 100.0)
    asked = asked_of(problem)
    kept = undominated(problem, [floor.totals for floor in asked.floors], [asked.objective])
    assert kept[0, problem.weight > 0].tolist() == [[True, True, False]]


def test_what_is_cheaper_but_worse_is_kept_and_what_is_dearer_and_worse_is_not() -> None:
    cells = [
        cell("full", "t", 1000.0, 0.5, 0.5, MANY),
        cell("brief", "t", 400.0, 0.3, 0.5, MANY),
        cell("very_brief", "t", 500.0, 0.2, 0.5, MANY),
    ]
    problem = Problem.of(_alone(cells), Constraints(floor=0.9), 100.0)
    asked = asked_of(problem)
    kept = undominated(problem, [floor.totals for floor in asked.floors], [asked.objective])
    assert kept[0, problem.weight > 0].tolist() == [[True, True, False]]


def test_rows_added_later_bind_the_next_solution() -> None:
    upper = np.array([np.inf, np.inf, 1.0])
    everything = np.ones(3, dtype=bool)
    program = LinearProgram(np.array([-1.0, -2.0, -4.0]), lower=np.zeros(3), upper=upper, kept=everything)
    program.add(Rows.one(np.ones(3), np.arange(3)), most=np.array([3.0]))
    assert program.solved().tolist() == [0, 2, 1]
    program.add(Rows.one(np.ones(1), np.array([1])), most=np.array([0.5]))
    assert program.solved().tolist() == [1.5, 0.5, 1]
    program.add(Rows.one(np.ones(1), np.array([2])), most=np.array([4.0]), least=np.array([2.0]))
    assert program.solved() is None


def test_columns_that_are_not_kept_are_zero() -> None:
    kept = np.array([True, False, True])
    program = LinearProgram(np.array([-1.0, -5.0, -2.0]), lower=np.zeros(3), upper=np.full(3, np.inf), kept=kept)
    program.add(Rows.one(np.ones(3), np.arange(3)), most=np.array([1.0]))
    assert program.solved().tolist() == [0, 0, 1]


def _alone(cells: list[Known]) -> Evidence:
    return Evidence(cells=tuple(cells), mix={Bin(task="t"): 1.0}, requests_per_day=1000.0)
