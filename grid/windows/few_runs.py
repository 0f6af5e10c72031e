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
from typing import Any, NamedTuple

from grid.windows.priced_edges import TINY_S, Edges, Job, Start
from grid.windows.timeline import Timeline

__all__ = ["cheapest_restarts"]


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


def cheapest_restarts(
    line: Timeline, job: Job, one_run: tuple[float, float] | None
) -> list[tuple[float, float]] | None:
    """The runs that emit least; `one_run`, the best single run where there is one, unless several are better.

    None where the work does not fit.
    """
    edges = Edges(line, job)
    price = edges.best_price()
    return None if price is None else _Search(edges, price, one_run).runs()


class _Search:
    """Labels from the first edge to the last, and the best solution so far."""

    def __init__(self, edges: Edges, price: float, one_run: tuple[float, float] | None) -> None:
        self._edges, self._price = edges, price
        self._idle: list[list[_Label]] = [[] for _ in range(len(edges.points) + 1)]
        self._running: list[list[_Label]] = [[] for _ in range(len(edges.points) + 1)]
        self._least = math.inf
        self._best: list[tuple[float, float]] | None = None
        for runs in (None if one_run is None else [one_run], edges.cut_to_measure()):
            if runs is not None and (emitted := edges.emitted(runs)) < self._least:
                self._least, self._best = emitted, runs
        self._slack = 1e-9 * (1.0 + price * edges.job.duration_s)

    def runs(self) -> list[tuple[float, float]] | None:
        """The runs that emit least."""
        self._idle[0].append(_Label(0.0, 0.0))
        for index in range(len(self._edges.points)):
            self._go_on(index)
            self._finish(index)
            self._begin(index)
        return self._best

    def _worth_keeping(self, labels: list[_Label], value: float) -> list[_Label]:
        """The labels that may become the best, by the bound and among each other."""
        kept = []
        for label in labels:
            left = self._edges.job.duration_s - label.work_s
            bound = label.cost + self._price * left + value
            if label.slope < self._price:
                bound -= (self._price - label.slope) * min(label.span_s, left)
            if left >= -TINY_S and bound < self._least - self._slack:
                kept.append(label)
        return _undominated(kept)

    def _go_on(self, index: int) -> None:
        """From running at an edge: stop there, work on to the next, or stop at an open moment before it."""
        edges = self._edges
        point, rate, length = edges.points[index], edges.rates[index], edges.lengths[index]
        for label in self._worth_keeping(self._running[index], edges.running_value[index]):
            start, _, back, _, rest = label.runs  # type: ignore[misc]
            self._idle[index].append(label._replace(runs=(start, point, back, 0, rest)))
            if rate == math.inf:
                continue
            work, cost = label.work_s + length, label.cost + rate * length
            self._running[index + 1].append(label._replace(work_s=work, cost=cost))
            if not label.open:
                stopping = (start, point, 0, 1, rest)
                self._idle[index + 1].append(_Label(label.work_s, label.cost, stopping, rate, length, open=True))

    def _finish(self, index: int) -> None:
        """Keep the best of the labels that have done the work, or do where their open moment is moved."""
        for label in self._idle[index]:
            left = self._edges.job.duration_s - label.work_s
            cost = label.cost + label.slope * left
            if -TINY_S <= left <= label.span_s + TINY_S and cost < self._least - self._slack:
                self._least, self._best = cost, _unrolled(label.runs, max(0.0, left))

    def _begin(self, index: int) -> None:
        """From idle at an edge: stay idle, start there, or start at an open moment before the next."""
        starts, points = self._edges.starts, self._edges.points
        here, later = starts[index], starts[index + 1] if index + 1 < len(points) else None
        for label in self._worth_keeping(self._idle[index], self._edges.idle_value[index]):
            self._idle[index + 1].append(label)
            if later is not None and later.early_s and later.early_slope > 0 and not label.open:
                entry = (points[index + 1], None, -1, 0, label.runs)
                work, cost = label.work_s + later.work_s, label.cost + later.cost
                opened = _Label(work, cost, entry, later.early_slope, later.early_s, open=True)
                self._running[later.landing].append(opened)
            if here is not None:
                self._start(label, here, points[index])

    def _start(self, label: _Label, start: Start, point: float) -> None:
        work, cost = label.work_s + start.work_s, label.cost + start.cost
        entry = (point, None, 0, 0, label.runs)
        self._running[start.landing].append(label._replace(work_s=work, cost=cost, runs=entry))
        if start.work_s and not label.open:
            ready, cost = point + self._edges.job.start_up_s, cost - start.work_s * start.slope
            stopping = (point, ready, 0, 1, label.runs)
            opened = _Label(label.work_s, cost, stopping, start.slope, start.work_s, open=True)
            self._idle[start.landing].append(opened)


def _undominated(labels: list[_Label]) -> list[_Label]:
    """The labels without those that another makes needless, by having done as much for no more wherever they lead."""
    kept = []
    least = math.inf
    for label in sorted((label for label in labels if not label.open), key=lambda label: (-label.work_s, label.cost)):
        if label.cost < least:
            least = label.cost
            kept.append(label)
    lines: list[_Label] = []
    for label in sorted((label for label in labels if label.open), key=lambda label: label.cost):
        end, top = label.work_s + label.span_s, label.cost + label.slope * label.span_s
        if not any(
            other.work_s + other.span_s >= end
            and other.cost + other.slope * max(0.0, label.work_s - other.work_s) <= label.cost
            and other.cost + other.slope * max(0.0, end - other.work_s) <= top
            for other in lines
        ):
            lines.append(label)
    return kept + lines


def _unrolled(runs: tuple[Any, ...] | None, moved_s: float) -> list[tuple[float, float]]:
    found = []
    while runs is not None:
        start, end, back, forth, runs = runs
        found.append((start + back * moved_s, end + forth * moved_s))
    return found[::-1]
