"""The cheapest runs where every one of them pays for a start-up.

Why going from edge to edge is exact. Fix how many runs there are, and in which steps of the series each of them starts,
begins to work and ends: emissions are then linear in the starts and ends, over a polytope given by the steps and the
total of the work. An optimum is at a vertex, where all of these moments but one are fixed: a start at an edge, or one
start-up before an edge, so that work begins there; an end at an edge, or where the next run begins. The last one is
free, and set by the total. (Were two runs to touch at a free moment, moving it would leave the total as it is, so it
can be moved to an edge.)

So labels (work done, emissions so far) go from edge to edge, either idle or running. In each solution one moment may
stay open: the label then stands for a line of solutions, of some length and slope. A label is dropped where another has
done as much for no more, or where a lower bound shows that it cannot become the best. The bound is Lagrange's:
emissions less a price for each second of work, which is least by a plain pass over the edges. The best price is found
by cutting planes (Kelley 1960, The cutting-plane method for solving convex programs).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from grid.windows.timeline import Timeline

__all__ = ["Job", "cheapest_restarts"]

_TINY_S = 1e-6
# So high a price that no second of work is left out: beyond any start-up's emissions per second of work gained.
_ANY_PRICE = 1e9


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work, in s; `share` is the power of its start-up as a multiple of the work's."""

    earliest_s: float
    latest_s: float
    duration_s: float
    start_up_s: float
    share: float


class _Label(NamedTuple):
    """A partial solution, or a line of them: with the open moment moved by 0 to `span_s`, work and cost grow.

    `runs` is a chain of (start, end, sign of the open moment's move in start and in end, the runs before); the last end
    is None while running. `open` tells whether there is a moment that is open already.
    """

    work_s: float
    cost: float
    runs: tuple[Any, ...] | None = None
    slope: float = 0.0
    span_s: float = 0.0
    open: bool = False


class _Start(NamedTuple):
    """A start at an edge, as far as the first edge at or after its start-up.

    Starting earlier by up to `early_s` costs `early_slope` per second; stopping between start-up and edge is possible
    where `work_s` is above 0.
    """

    landing: int
    cost: float
    work_s: float
    slope: float
    early_s: float
    early_slope: float


def cheapest_restarts(
    line: Timeline, job: Job, one_run: tuple[float, float] | None
) -> list[tuple[float, float]] | None:
    """The runs that emit least; `one_run`, the best single run where there is one, unless several are better.

    None where the work does not fit.
    """
    problem = _Problem(line, job)
    price = problem.best_price()
    if price is None:
        return None
    return problem.search(price, one_run)


class _Problem:
    """One piece of work on its edges."""

    def __init__(self, line: Timeline, job: Job) -> None:
        self._line, self._job = line, job
        low, high = job.earliest_s, job.latest_s
        edges = np.concatenate(([low, high], line.edges_s))
        points = np.unique(np.concatenate((edges, edges[edges <= high] - job.start_up_s)))
        points = points[(points >= low) & (points <= high)]
        points = points[np.concatenate(([True], np.diff(points) > _TINY_S))] if len(points) else points
        step = np.searchsorted(line.edges_s, points[:-1] + _TINY_S / 2, side="right") - 1
        inside = (step >= 0) & (step < len(line.g_per_kwh))
        step = step.clip(0, len(line.g_per_kwh) - 1)
        rates = np.where(inside & line.known[step], line.g_per_kwh[step], np.inf)
        self._points: list[float] = points.tolist()
        self._rates: list[float] = [*rates.tolist(), math.inf]
        self._lengths: list[float] = [*np.diff(points).tolist(), 0.0]
        self._starts = self._find_starts(points)
        self._idle_value: list[float] = []
        self._running_value: list[float] = []

    def _find_starts(self, points: np.ndarray) -> list[_Start | None]:
        line, start_up, share = self._line, self._job.start_up_s, self._job.share
        ready = points + start_up
        before = np.concatenate((points[:1], points[:-1]))
        possible = line.holds(points, ready) & (ready <= self._job.latest_s + _TINY_S)
        early = line.holds(before, points)
        cost = share * line.integral(points, ready)
        landings = np.searchsorted(points, ready - _TINY_S).tolist()
        ends = np.searchsorted(points, ready - _TINY_S).clip(1) - 1
        starts: list[_Start | None] = []
        for index, landing in enumerate(landings):
            if not possible[index]:
                starts.append(None)
                continue
            last = self._rates[int(ends[index])]
            work = max(0.0, self._points[landing] - float(ready[index]))
            reach = float(points[index] - before[index]) if early[index] else 0.0
            slope = share * (self._rates[index - 1] - last) + last if reach else 0.0
            starts.append(_Start(landing, float(cost[index]) + work * last, work, last, reach, slope))
        return starts

    def _relax(self, price: float) -> tuple[float, float]:
        """Work and cost of the runs that are best where a second of work earns `price`; fills the values from edges."""
        count = len(self._points)
        idle, running = [0.0] * (count + 1), [0.0] * (count + 1)
        idle_work, running_work = [0.0] * (count + 1), [0.0] * (count + 1)
        for index in range(count - 1, -1, -1):
            idle[index], idle_work[index] = idle[index + 1], idle_work[index + 1]
            start = self._starts[index]
            if start is not None:
                value = start.cost - price * start.work_s + running[start.landing]
                if value < idle[index]:
                    idle[index], idle_work[index] = value, start.work_s + running_work[start.landing]
            running[index], running_work[index] = idle[index], idle_work[index]
            rate = self._rates[index]
            if rate < math.inf:
                value = (rate - price) * self._lengths[index] + running[index + 1]
                if value < running[index]:
                    running[index], running_work[index] = value, self._lengths[index] + running_work[index + 1]
        self._idle_value, self._running_value = idle, running
        return idle_work[0], idle[0] + price * idle_work[0]

    def best_price(self) -> float | None:
        """The price whose bound is highest; None where even the longest solution falls short of the work."""
        if not self._points:
            return None
        wanted = self._job.duration_s
        below = (0.0, 0.0)
        above = self._relax(_ANY_PRICE)
        if above[0] < wanted - _TINY_S:
            return None
        while True:
            price = (above[1] - below[1]) / (above[0] - below[0])
            found = self._relax(price)
            gain = below[1] - price * below[0] - (found[1] - price * found[0])
            if gain <= 1e-9 * (1.0 + abs(below[1]) + price * wanted):
                return price
            if found[0] < wanted:
                below = found
            else:
                above = found

    def search(self, price: float, one_run: tuple[float, float] | None) -> list[tuple[float, float]] | None:
        """Labels from the first edge to the last; the values must be those of `price`."""
        wanted, count = self._job.duration_s, len(self._points)
        idle: list[list[_Label]] = [[] for _ in range(count + 1)]
        running: list[list[_Label]] = [[] for _ in range(count + 1)]
        idle[0].append(_Label(0.0, 0.0))
        best: tuple[Any, ...] | None = None
        least = math.inf
        if one_run is not None:
            ready = one_run[0] + self._job.start_up_s
            least = float(
                self._job.share * self._line.integral(one_run[0], ready) + self._line.integral(ready, one_run[1])
            )
        slack = 1e-9 * (1.0 + price * wanted)

        def worth(label: _Label, value: float) -> bool:
            left = wanted - label.work_s
            if left < -_TINY_S:
                return False
            bound = label.cost + price * left + value
            if label.slope < price:
                bound -= (price - label.slope) * min(label.span_s, left)
            return bound < least - slack

        for index in range(count):
            point, rate, length = self._points[index], self._rates[index], self._lengths[index]
            for label in _undominated(running[index]):
                if not worth(label, self._running_value[index]):
                    continue
                start, _, back, _, rest = label.runs  # type: ignore[misc]
                idle[index].append(label._replace(runs=(start, point, back, 0, rest)))
                if rate == math.inf:
                    continue
                running[index + 1].append(label._replace(work_s=label.work_s + length, cost=label.cost + rate * length))
                if not label.open:
                    stopping = (start, point, 0, 1, rest)
                    idle[index + 1].append(_Label(label.work_s, label.cost, stopping, rate, length, open=True))
            begun = self._starts[index]
            for label in _undominated(idle[index]):
                left = wanted - label.work_s
                if -_TINY_S <= left <= label.span_s + _TINY_S and label.cost + label.slope * left < least - slack:
                    least, best = label.cost + label.slope * left, (label, max(0.0, left))
                if not worth(label, self._idle_value[index]):
                    continue
                idle[index + 1].append(label)
                later = self._starts[index + 1] if index + 1 < count else None
                if later is not None and later.early_s and not label.open:
                    work, cost = label.work_s + later.work_s, label.cost + later.cost
                    entry = (self._points[index + 1], None, -1, 0, label.runs)
                    moved = _Label(work, cost, entry, later.early_slope, later.early_s, open=True)
                    running[later.landing].append(moved)
                if begun is None:
                    continue
                work, cost = label.work_s + begun.work_s, label.cost + begun.cost
                entry = (point, None, 0, 0, label.runs)
                running[begun.landing].append(label._replace(work_s=work, cost=cost, runs=entry))
                if begun.work_s and not label.open:
                    ready = point + self._job.start_up_s
                    cost -= begun.work_s * begun.slope
                    stopping = (point, ready, 0, 1, label.runs)
                    idle[begun.landing].append(
                        _Label(label.work_s, cost, stopping, begun.slope, begun.work_s, open=True)
                    )
        if best is None:
            return None if one_run is None else [one_run]
        return _unrolled(best[0].runs, best[1])


def _undominated(labels: list[_Label]) -> list[_Label]:
    """Labels with nothing open are kept only where none has done as much for no more; the others are all kept."""
    kept = [label for label in labels if label.open]
    least = math.inf
    for label in sorted((label for label in labels if not label.open), key=lambda label: (-label.work_s, label.cost)):
        if label.cost < least:
            least = label.cost
            kept.append(label)
    return kept


def _unrolled(runs: tuple[Any, ...] | None, moved_s: float) -> list[tuple[float, float]]:
    found = []
    while runs is not None:
        start, end, back, forth, runs = runs
        found.append((start + back * moved_s, end + forth * moved_s))
    return found[::-1]
