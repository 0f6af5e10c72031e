"""The linear program, and the few rounds in which it learns the margins of its floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from directives.errors import PolicyError
from directives.solving.dominance import undominated
from directives.solving.linear import LinearProgram, Places, Rows
from directives.solving.problem import Problem, Totals
from directives.solving.tree import Floats

__all__ = ["Floor", "Limit", "Program", "Solution"]

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
class _Sum:
    """A floor over the program's shares x: `fixed` + `gain` x is its total, `noise` x the errors of that total."""

    floor: Floor
    gain: Floats
    noise: Rows

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
    _places: tuple[Places, Places, int] = field(init=False)
    _sums: tuple[_Sum, ...] = field(init=False)
    _starts: tuple[int, ...] = field(init=False)
    _tangents: list[tuple[int, Rows]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        problem = self.problem
        mask = problem.selectable & (problem.weight > 0)[:, None]
        self._where = np.nonzero(np.broadcast_to(mask, (len(problem.levels.share), *mask.shape)))
        _, nodes, _ = self._where
        count = len(problem.tree.bins)
        sources = (nodes, count + problem.tree.parent[nodes], np.full_like(nodes, 2 * count))
        kinds, row = np.unique(np.concatenate(sources), return_inverse=True)
        # Own errors, parents', the root's; an error's place does not depend on the floor.
        self._places = row, np.tile(np.arange(len(nodes)), len(sources)), len(kinds)
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
        linear = self._linear(cost, price_of_score, kept, limits)
        for attempt in range(_ROUNDS):
            solution = linear.solved()
            if solution is None:
                return None
            x, score_low = np.clip(solution[: len(self._where[0])], 0.0, 1.0), float(solution[-1])
            missed = [index for index in kept if self._slack(index, x, score_low) < -_TOLERANCE]
            if not missed:
                shares = np.zeros((len(self.problem.levels.share), *self.problem.selectable.shape))
                shares[self._where] = x
                return Solution(shares, score_low)
            for index in missed:
                tangents = self._touch(index, x, apart=attempt > 0)
                linear.add(tangents, most=np.zeros(tangents.count))
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
        totals, share = floor.totals, floor.share[levels]
        noise = [share * part[nodes, directives] for part in (totals.own, totals.of_parent, totals.of_root)]
        row, column, count = self._places
        return _Sum(floor, share * totals.gain[nodes, directives], Rows(row, column, np.concatenate(noise), count))

    def _touch(self, index: int, x: Floats, *, apart: bool) -> Rows:
        """Keep and return the tangents at these shares.

        With a = r/t they are 2 a r - a² t - s <= 0 for each error, or Σ a r <= t for all.
        The one is the sum of the others, and does where the first guess was near.
        """
        noise, start = self._sums[index].noise, self._starts[index]
        errors = noise.at(x)
        slope = errors / (np.linalg.norm(errors) or 1.0)
        tilted = slope[noise.row] * noise.value
        if not apart:
            together = np.bincount(noise.column, tilted)
            tangents = Rows.one(np.append(together, -1.0), np.append(np.arange(len(together)), start))
            self._tangents.append((index, tangents))
            return tangents
        each = np.arange(noise.count)
        row = np.concatenate((noise.row, each, each))
        column = np.concatenate((noise.column, np.full_like(each, start), start + 1 + each))
        value = np.concatenate((2 * tilted, -(slope**2), -np.ones(noise.count)))
        tangents = Rows(row, column, value, noise.count)
        self._tangents.append((index, tangents))
        return tangents

    def _linear(self, cost: Floats, price: float, kept: Sequence[int], limits: Sequence[Limit]) -> LinearProgram:
        levels, nodes, _ = self._where
        count, width = len(levels), self._starts[-1] + 1
        objective, upper = np.zeros(width), np.full(width, np.inf)
        objective[:count], objective[-1] = cost[self._where], -price
        totals = [self.floors[index].totals for index in kept]
        worth = undominated(self.problem, totals, [cost, *(limit.each for limit in limits)])[self._where]
        kept_columns = np.concatenate((worth, np.ones(width - count, dtype=bool)))
        lower = np.zeros(width)
        # Without a price there is no score to seek.
        lower[-1], upper[-1] = (-np.inf, np.inf) if price else (0.0, 0.0)
        linear = LinearProgram(objective, lower=lower, upper=upper, kept=kept_columns)
        whole = np.unique(levels * len(self.problem.tree.bins) + nodes, return_inverse=True)[1]
        ones = np.ones(whole.max() + 1)
        linear.add(Rows(whole, np.arange(count), np.ones(count), len(ones)), most=ones, least=ones)
        for limit in limits:
            row = Rows.one(limit.each[self._where] / limit.most, np.arange(count))
            linear.add(row, most=np.array([1 - limit.fixed / limit.most]))
        for index in kept:
            linear.add(self._bound(index), most=np.array([self.floors[index].totals.fixed, 0.0]))
        for index, tangents in self._tangents:
            if index in kept:
                linear.add(tangents, most=np.zeros(tangents.count))
        return linear

    def _bound(self, index: int) -> Rows:
        """Mean - z t >= the score that is sought, or 0; and Σ s <= t."""
        total, start, last = self._sums[index], self._starts[index], self._starts[-1]
        shares, errors = np.arange(len(total.gain)), start + 1 + np.arange(total.noise.count)
        ends = self.problem.z, float(total.floor.sought)
        return Rows(
            np.repeat((0, 1), (len(shares) + 2, len(errors) + 1)),
            np.concatenate((shares, (start, last), errors, (start,))),
            np.concatenate((-total.gain, ends, np.ones(len(errors)), (-1.0,))),
            2,
        )
