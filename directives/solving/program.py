"""The linear program, and the few rounds in which it learns the margins of its floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from directives.errors import PolicyError
from directives.solving.problem import Problem, Totals
from directives.solving.tree import Floats

__all__ = ["Floor", "Limit", "Program", "Solution"]

Places = npt.NDArray[np.intp]

_ROUNDS = 30
_STEPS = 3
_NEAR = 1e-3
_TOLERANCE = 1e-5
"""Most by which a floor may be missed, in score per request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Σ `each` x + `fixed` <= `most`, over levels, nodes and directives."""

    name: str
    each: Floats
    fixed: float
    most: float

    def at(self, shares: Floats) -> float:
        """The sum under these shares."""
        return self.fixed + float((self.each * shares).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The lower bound of a total, over some of the levels, must not be below 0 (or below the score that is sought)."""

    name: str
    totals: Totals
    share: Floats
    sought: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """Shares by level, node and directive; and the lower bound of the score that was sought, if any."""

    shares: Floats
    score_low: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a matrix by their entries."""

    row: Places
    column: Places
    value: Floats
    count: int

    def at(self, x: Floats) -> Floats:
        sums = np.zeros(self.count)
        np.add.at(sums, self.row, self.value * x[self.column])
        return sums


@dataclass(frozen=True, slots=True)
class _Sum:
    """A floor over the program's shares x: `fixed` + `gain` x is its total, `noise` x the errors of that total."""

    floor: Floor
    gain: Floats
    noise: _Rows

    def low(self, x: Floats, z: float) -> float:
        return self.floor.totals.fixed + float(self.gain @ x) - z * float(np.linalg.norm(self.noise.at(x)))


@dataclass(slots=True)
class Program:
    """One linear program over the shares of `Problem`.

    A floor's margin is a norm t of the errors r of its total, which are linear in the shares: Σ s <= t and r² <= s t
    for each error, where r²/t lies above all its tangents 2 a r - a² t. Each round adds the tangents at the last
    solution where that misses a floor (Kelley 1960, "The cutting-plane method for solving convex programs"). With a
    variable s for each error a few rounds are enough, where tangents of the norm itself take hundreds (Vielma,
    Dunning, Huchette and Lubin 2017, "Extended formulations in mixed integer conic quadratic programming").
    """

    problem: Problem
    floors: tuple[Floor, ...]
    limits: tuple[Limit, ...]
    _where: tuple[Places, ...] = field(init=False)
    _sums: tuple[_Sum, ...] = field(init=False)
    _starts: tuple[int, ...] = field(init=False)
    _tangents: list[tuple[int, _Rows]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        problem = self.problem
        mask = problem.selectable & (problem.weight > 0)[:, None]
        self._where = np.nonzero(np.broadcast_to(mask, (len(problem.levels.share), *mask.shape)))
        self._sums = tuple(self._sum(floor) for floor in self.floors)
        # Columns: the shares; for each floor its t and its s; the score that is sought.
        sizes = [1 + total.noise.count for total in self._sums]
        self._starts = tuple(accumulate(sizes, initial=len(self._where[0])))
        even = (1 / np.maximum(mask.sum(axis=1), 1))[self._where[1]]
        for index in range(len(self._sums)):
            self._touch(index, even, apart=False)

    def minimised(
        self, cost: Floats, *, price_of_score: float = 0.0, without: frozenset[str] = frozenset()
    ) -> Solution | None:
        """The shares of least Σ cost x - price_of_score × score; None where nothing meets the floors and limits.

        Args:
            cost: by level, node and directive.
            price_of_score: what one unit of the sought score, its lower bound, is worth.
            without: names of floors and limits to leave out.

        Raises:
            PolicyError: the solver gave up.
        """
        kept = [index for index, floor in enumerate(self.floors) if floor.name not in without]
        limits = [limit for limit in self.limits if limit.name not in without]
        for attempt in range(_ROUNDS):
            solved = self._solved(cost, price_of_score, kept, limits)
            if solved is None:
                return None
            x, score_low = solved
            missed = [index for index in kept if self._slack(index, x, score_low) < -_TOLERANCE]
            if not missed:
                shares = np.zeros((len(self.problem.levels.share), *self.problem.selectable.shape))
                shares[self._where] = x
                return Solution(shares, score_low)
            for index in missed:
                self._touch(index, x, apart=attempt > 0)
        raise PolicyError(f"the margins of the floors did not settle in {_ROUNDS} rounds; judge more, or report this")

    def low(self, floor: Floor, shares: Floats) -> float:
        """Lower bound of a floor's total."""
        return self._sum(floor).low(shares[self._where], self.problem.z)

    def quality(self, shares: Floats) -> float:
        """Mean score over all levels, as a share of `full`'s."""
        total = self._sum(Floor(name="", totals=self.problem.totals(0.0), share=self.problem.levels.share))
        return total.low(shares[self._where], 0.0) / self.problem.full_total

    def quality_low(self, shares: Floats, level_share: Floats, guess: Totals | None = None) -> float:
        """The highest floor that is kept: the lower end of Fieller's interval of a ratio of means.

        Raising the floor by one takes about the whole score of `full`, which is the slope of the steps towards it.

        Args:
            shares: what is served.
            level_share: which levels count, and how much.
            guess: totals of a floor near it, which spares a step.
        """
        totals = guess or self.problem.totals(1.0)
        for _ in range(_STEPS):
            step = self.low(Floor(name="", totals=totals, share=level_share), shares) / self.problem.full_total
            kept = max(0.0, totals.floor + step)
            if abs(step) < _NEAR:
                break
            totals = self.problem.totals(kept)
        return kept

    def _slack(self, index: int, x: Floats, score_low: float) -> float:
        low = self._sums[index].low(x, self.problem.z)
        return low - score_low if self.floors[index].sought else low

    def _sum(self, floor: Floor) -> _Sum:
        levels, nodes, directives = self._where
        totals, count = floor.totals, len(self.problem.tree.bins)
        share = floor.share[levels]
        sources = (nodes, count + self.problem.tree.parent[nodes], np.full_like(nodes, 2 * count))
        noise = [share * part[nodes, directives] for part in (totals.own, totals.of_parent, totals.of_root)]
        kinds, row = np.unique(np.concatenate(sources), return_inverse=True)
        column = np.tile(np.arange(len(nodes)), len(noise))
        rows = _Rows(row, column, np.concatenate(noise), len(kinds))
        return _Sum(floor, share * totals.gain[nodes, directives], rows)

    def _touch(self, index: int, x: Floats, *, apart: bool) -> None:
        """Add the tangents at these shares, with a = r/t: 2 a r - a² t - s <= 0 for each error, or Σ a r <= t for all.

        The one is the sum of the others, and does where the first guess was near.
        """
        noise, start = self._sums[index].noise, self._starts[index]
        errors = noise.at(x)
        slope = errors / (np.linalg.norm(errors) or 1.0)
        tilted = slope[noise.row] * noise.value
        if not apart:
            self._tangents.append((index, _row(np.append(tilted, -1.0), np.append(noise.column, start))))
            return
        each = np.arange(noise.count)
        row = np.concatenate((noise.row, each, each))
        column = np.concatenate((noise.column, np.full_like(each, start), start + 1 + each))
        value = np.concatenate((2 * tilted, -(slope**2), -np.ones(noise.count)))
        self._tangents.append((index, _Rows(row, column, value, noise.count)))

    def _solved(
        self, cost: Floats, price: float, kept: Sequence[int], limits: Sequence[Limit]
    ) -> tuple[Floats, float] | None:
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        count, width = len(self._where[0]), self._starts[-1] + 1
        above = [_row(limit.each[self._where] / limit.most, np.arange(count)) for limit in limits]
        room = [1 - limit.fixed / limit.most for limit in limits]
        for index in kept:
            above += self._bound(index)
            room += [self.floors[index].totals.fixed, 0.0]
        tangents = [rows for index, rows in self._tangents if index in kept]
        above += tangents
        room += [0.0] * sum(rows.count for rows in tangents)
        levels, nodes, _ = self._where
        whole = np.unique(levels * len(self.problem.tree.bins) + nodes, return_inverse=True)[1]
        bounds = np.tile((0.0, np.inf), (width, 1))
        bounds[-1] = (-np.inf, np.inf) if price else (0.0, 0.0)
        objective = np.zeros(width)
        objective[:count], objective[-1] = cost[self._where], -price
        # The solver's tolerances are absolute, and grams per request are small.
        objective /= np.abs(objective).max() or 1.0
        result = linprog(
            objective,
            A_ub=_stacked(above, width) if above else None,
            b_ub=room or None,
            A_eq=csr_array((np.ones(count), (whole, np.arange(count))), shape=(whole.max() + 1, width)),
            b_eq=np.ones(whole.max() + 1),
            bounds=bounds,
            method="highs-ds",
            options={"presolve": False},
        )
        if result.status == 2:
            return None
        if result.status != 0:
            raise PolicyError(f"the linear program was not solved: {result.message}")
        return np.clip(result.x[:count], 0.0, 1.0), float(result.x[-1])

    def _bound(self, index: int) -> list[_Rows]:
        """Mean - z t >= the score that is sought, or 0; and Σ s <= t."""
        total, start, last = self._sums[index], self._starts[index], self._starts[-1]
        shares, errors = np.arange(len(total.gain)), start + 1 + np.arange(total.noise.count)
        ends = self.problem.z, float(total.floor.sought)
        return [
            _row(np.append(-total.gain, ends), np.append(shares, (start, last))),
            _row(np.append(np.ones(len(errors)), -1.0), np.append(errors, start)),
        ]


def _row(value: Floats, column: Places) -> _Rows:
    return _Rows(np.zeros(len(column), np.intp), column, value, 1)


def _stacked(blocks: Sequence[_Rows], width: int) -> object:
    from scipy.sparse import csr_array

    starts = list(accumulate((block.count for block in blocks), initial=0))
    row = np.concatenate([start + block.row for start, block in zip(starts, blocks, strict=False)])
    column = np.concatenate([block.column for block in blocks])
    value = np.concatenate([block.value for block in blocks])
    return csr_array((value, (row, column)), shape=(starts[-1], width))
