"""The edges of one piece of work, and the bound on what it must emit."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from grid.windows.timeline import Floats, Timeline

__all__ = ["TINY_S", "Edges", "Job", "Start"]

TINY_S = 1e-6
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


class Start(NamedTuple):
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


class Edges:
    """One piece of work on the edges between which it is planned.

    Attributes:
        points: the edges in s: of steps, of the time allowed, and one start-up before each.
        rates: intensity from each edge to the next; infinite where it is unknown, and after the last.
        lengths: time from each edge to the next; 0 after the last.
        starts: what it takes to start at each edge; None where that is not possible.
        idle_value: least cost from each edge on, less the price of the work done there, while idle.
        running_value: the same while running.
    """

    def __init__(self, line: Timeline, job: Job) -> None:
        self.line, self.job = line, job
        low, high = job.earliest_s, job.latest_s
        edges = np.concatenate(([low, high], line.edges_s))
        points = np.unique(np.concatenate((edges, edges[edges <= high] - job.start_up_s)))
        points = points[(points >= low) & (points <= high)]
        points = points[np.concatenate(([True], np.diff(points) > TINY_S))] if len(points) else points
        step = np.searchsorted(line.edges_s, points[:-1] + TINY_S / 2, side="right") - 1
        inside = (step >= 0) & (step < len(line.g_per_kwh))
        step = step.clip(0, len(line.g_per_kwh) - 1)
        rates = np.where(inside & line.known[step], line.g_per_kwh[step], np.inf)
        self.points: list[float] = points.tolist()
        self.rates: list[float] = [*rates.tolist(), math.inf]
        self.lengths: list[float] = [*np.diff(points).tolist(), 0.0]
        self.starts = self._find_starts(points)
        self.idle_value: list[float] = []
        self.running_value: list[float] = []

    def _find_starts(self, points: Floats) -> list[Start | None]:
        line, start_up, share = self.line, self.job.start_up_s, self.job.share
        ready = points + start_up
        before = np.concatenate((points[:1], points[:-1]))
        possible = line.holds(points, ready) & (ready <= self.job.latest_s + TINY_S)
        early = line.holds(before, points)
        cost = share * line.integral(points, ready)
        landings = np.searchsorted(points, ready - TINY_S).tolist()
        ends = np.searchsorted(points, ready - TINY_S).clip(1) - 1
        starts: list[Start | None] = []
        for index, landing in enumerate(landings):
            if not possible[index]:
                starts.append(None)
                continue
            last = self.rates[int(ends[index])]
            work = max(0.0, self.points[landing] - float(ready[index]))
            reach = float(points[index] - before[index]) if early[index] else 0.0
            slope = share * (self.rates[index - 1] - last) + last if reach else 0.0
            starts.append(Start(landing, float(cost[index]) + work * last, work, last, reach, slope))
        return starts

    def _relax(self, price: float) -> tuple[float, float]:
        """Work and cost of the runs that are best where a second of work earns `price`; fills the values from edges."""
        count = len(self.points)
        idle, running = [0.0] * (count + 1), [0.0] * (count + 1)
        idle_work, running_work = [0.0] * (count + 1), [0.0] * (count + 1)
        for index in range(count - 1, -1, -1):
            idle[index], idle_work[index] = idle[index + 1], idle_work[index + 1]
            start = self.starts[index]
            if start is not None:
                value = start.cost - price * start.work_s + running[start.landing]
                if value < idle[index]:
                    idle[index], idle_work[index] = value, start.work_s + running_work[start.landing]
            running[index], running_work[index] = idle[index], idle_work[index]
            rate = self.rates[index]
            if rate < math.inf:
                value = (rate - price) * self.lengths[index] + running[index + 1]
                if value < running[index]:
                    running[index], running_work[index] = value, self.lengths[index] + running_work[index + 1]
        self.idle_value, self.running_value = idle, running
        return idle_work[0], idle[0] + price * idle_work[0]

    def best_price(self) -> float | None:
        """The price whose bound is highest; None where even the longest solution falls short of the work."""
        if not self.points:
            return None
        wanted = self.job.duration_s
        below = (0.0, 0.0)
        above = self._relax(_ANY_PRICE)
        if above[0] < wanted - TINY_S:
            return None
        while True:
            price = (above[1] - below[1]) / (above[0] - below[0])
            found = self._relax(price)
            gain = below[1] - price * below[0] - (found[1] - price * found[0])
            if gain <= 1e-9 * (1.0 + abs(below[1]) + price * wanted):
                # A hair above, the pass takes the longer of the two solutions that tie: one that can be cut to measure.
                price *= 1.0 + 1e-9
                self._relax(price)
                return price
            if found[0] < wanted:
                below = found
            else:
                above = found

    def cut_to_measure(self) -> list[tuple[float, float]] | None:
        """The runs of the last pass, less what is too much, the dearest ends first; None where they are too short."""
        runs: list[tuple[float, float]] = []
        index, count = 0, len(self.points)
        while index < count:
            start = self.starts[index]
            if start is None or self.idle_value[index] == self.idle_value[index + 1]:
                index += 1
                continue
            begin, index = self.points[index], start.landing
            while self.running_value[index] != self.idle_value[index]:
                index += 1
            runs.append((begin, self.points[index]))
        start_up = self.job.start_up_s
        excess = sum(end - begin - start_up for begin, end in runs) - self.job.duration_s
        if excess < -TINY_S:
            return None
        while excess > TINY_S:
            rates = [self.rates[bisect_left(self.points, end - TINY_S) - 1] for _, end in runs]
            dearest = max(range(len(runs)), key=rates.__getitem__)
            begin, end = runs[dearest]
            step = self.points[bisect_left(self.points, end - TINY_S) - 1]
            cut = min(excess, end - max(step, begin + start_up))
            excess -= cut
            runs[dearest] = (begin, end - cut)
            if end - cut - begin - start_up < TINY_S:
                del runs[dearest]
        return runs

    def emitted(self, runs: list[tuple[float, float]]) -> float:
        """Cost of runs: the integral of the intensity, the start-ups weighted, in s·g/kWh."""
        starts, ends = np.array(runs).T
        ready = starts + self.job.start_up_s
        return float(np.sum(self.job.share * self.line.integral(starts, ready) + self.line.integral(ready, ends)))
