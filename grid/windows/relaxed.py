"""What work must emit at least: Lagrange's bound, for many pieces of work at once.

For any price of a second of work, emissions less the price of the work done, over all plans however long their work,
plus the price of the work wanted, are a lower bound on emissions. Without the condition on their work, plans are found
by one plain pass over the edges, idle or running. Plans here have two runs at least: the best single run is known
(`one_run`), and a bound that may not spend half a start-up is far tighter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from grid.windows.cells import TINY_S, Cells
from grid.windows.timeline import Floats

__all__ = ["LEAST_RUNS", "Onward", "best_prices", "forward", "onward", "priced"]

LEAST_RUNS = 2
# So high a price that no second of work is left out: beyond any start-up's emissions per second of work gained.
_ANY_PRICE = 1e9
# Cuts that find no better price end the search, at the latest so many: the bound is valid at any price.
_CUTS = 40


class Onward(NamedTuple):
    """From each edge on: least cost less the price of the work, (edge, runs still to begin at least, job)."""

    idle: Floats
    running: Floats
    work_s: Floats
    """Work of the best plan of each job."""


def priced(cells: Cells, price: Floats) -> tuple[Floats, Floats]:
    """Cost less the price: of running on from each edge to the next, and of starting at each edge."""
    known = np.isfinite(cells.rate)
    step = np.where(known, (np.where(known, cells.rate, 0.0) - price) * cells.length_s, np.inf)
    return step, cells.start_cost - price * cells.start_work_s


def onward(cells: Cells, price: Floats) -> Onward:
    """The pass from the last edge back."""
    count, jobs = cells.edge_s.shape
    step, begin = priced(cells, price)
    idle = np.full((count + 1, LEAST_RUNS + 1, jobs), np.inf)
    idle[count, 0] = 0.0
    running = idle.copy()
    idle_work, running_work = np.zeros_like(idle), np.zeros_like(idle)
    flat, flat_work = running.reshape(-1), running_work.reshape(-1)
    place = cells.landing[:, None, :] * ((LEAST_RUNS + 1) * jobs) + np.arange(jobs)
    # Having begun a run, one fewer is still to begin.
    place = place + np.array([max(0, k - 1) for k in range(LEAST_RUNS + 1)])[:, None] * jobs
    for index in range(count - 1, -1, -1):
        value = begin[index] + flat.take(place[index])
        better = value < idle[index + 1]
        idle[index] = np.where(better, value, idle[index + 1])
        work = cells.start_work_s[index] + flat_work.take(place[index])
        idle_work[index] = np.where(better, work, idle_work[index + 1])
        value = step[index] + running[index + 1]
        better = value < idle[index]
        running[index] = np.where(better, value, idle[index])
        running_work[index] = np.where(better, cells.length_s[index] + running_work[index + 1], idle_work[index])
    return Onward(idle, running, idle_work[0, LEAST_RUNS])


def forward(cells: Cells, price: Floats) -> tuple[Floats, Floats]:
    """Least cost less the price of the work up to each edge, idle and running: (edge, runs begun at most 2, job)."""
    count, jobs = cells.edge_s.shape
    step, begin = priced(cells, price)
    idle = np.full((count + 1, LEAST_RUNS + 1, jobs), np.inf)
    idle[0, 0] = 0.0
    running = np.full_like(idle, np.inf)
    flat = running.reshape(-1)
    place = cells.landing * ((LEAST_RUNS + 1) * jobs) + np.arange(jobs)
    for index in range(count):
        np.minimum(idle[index], running[index], out=idle[index])
        np.minimum(idle[index + 1], idle[index], out=idle[index + 1])
        np.minimum(running[index + 1], running[index] + step[index], out=running[index + 1])
        for begun in range(LEAST_RUNS + 1):
            there = place[index] + min(begun + 1, LEAST_RUNS) * jobs
            flat[there] = np.minimum(flat[there], idle[index, begun] + begin[index])
    return idle, running


def best_prices(cells: Cells, wanted_s: Floats, enough: Floats) -> tuple[Floats, Floats]:
    """The price whose bound is highest, and that bound; the bound is infinite where no plan does the work.

    By cutting planes (Kelley 1960, The cutting-plane method for solving convex programs): the next price is that at
    which the best plan found that is too short and the best that is long enough tie. Where the bound comes to `enough`,
    a better one is not looked for.
    """
    jobs = len(wanted_s)
    price, bound = np.zeros(jobs), np.full(jobs, -np.inf)
    below, above = np.zeros((2, jobs)), np.zeros((2, jobs))  # work and cost
    left = np.arange(jobs)
    for cut in range(_CUTS):
        if cut < 2:
            tried = np.full(len(left), (_ANY_PRICE, 0.0)[cut])
        else:
            tried = (above[1] - below[1])[left] / (above[0] - below[0])[left]
        found = onward(cells, tried)
        value = found.idle[0, LEAST_RUNS]
        long_enough = found.work_s >= wanted_s[left] - TINY_S
        reached = value + tried * wanted_s[left]
        if cut == 0:
            # At so high a price rounding outweighs emissions: it tells what fits, and is no bound.
            reached = np.where(long_enough & np.isfinite(value), -np.inf, np.inf)
        higher = reached > bound[left]
        price[left[higher]], bound[left[higher]] = tried[higher], reached[higher]
        # Where the two plans are no worse than the one found at their own price, the bound is at its highest.
        best = below[1, left] + tried * (wanted_s[left] - below[0, left])
        tied = (cut > 1) & (reached >= best - 1e-9 * (1.0 + np.abs(best)))
        plans = np.stack((found.work_s, value + tried * found.work_s))
        above[:, left[long_enough]] = plans[:, long_enough]
        below[:, left[~long_enough]] = plans[:, ~long_enough]
        going = ~tied & (bound[left] < enough[left]) & ~((cut == 1) & long_enough)
        left, cells = left[going], cells[going]
        if not len(left):
            break
    return price, bound
