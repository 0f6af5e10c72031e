"""The edges at which something can happen in a plan that emits less than a known amount."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grid.windows.cells import Cells, Jobs
from grid.windows.relaxed import LEAST_RUNS, Onward, forward, onward, priced
from grid.windows.timeline import Floats

__all__ = ["AROUND", "Bounds"]

# The best price for the whole, and others: for a part of a plan the bound is often higher at one of these.
AROUND = (1.0, 0.93, 1.07)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is left to emit from each edge on, and what plans must emit in which something happens there.

    Attributes:
        prices: (price, job).
        idle: least cost less the price of the work from each edge on, (price, edge, runs still to begin, job).
        running: the same while running.
        acting: what a plan must emit in which a run ends or begins at the edge, or between it and the next.
    """

    prices: Floats
    idle: Floats
    running: Floats
    acting: Floats

    @classmethod
    def of(cls, cells: Cells, jobs: Jobs, price: Floats) -> Bounds:
        """The bounds at that price of each job, and at some around it."""
        prices = [price * factor for factor in AROUND]
        passes = [onward(cells, each) for each in prices]
        acting = [
            _acting(cells, each, after) + each * jobs.duration_s for each, after in zip(prices, passes, strict=True)
        ]
        return cls(
            np.stack(prices),
            np.stack([after.idle for after in passes]),
            np.stack([after.running for after in passes]),
            np.maximum.reduce(acting),
        )


def _acting(cells: Cells, price: Floats, after: Onward) -> Floats:
    """Least cost less the price of the work, over plans with a moment at each edge or between it and the next.

    Such a moment between edges moves cost and work linearly, so the least is at one of the two ends of its way.
    """
    idle, running = forward(cells, price)
    step, begin = priced(cells, price)
    count, jobs = cells.edge_s.shape
    to_begin = slice(None, None, -1)
    ending = (running + after.idle[:, to_begin]).min(axis=1)[:-1]
    ending_later = step + (running[:-1] + after.idle[1:, to_begin]).min(axis=1)
    # From idle at each edge, as many runs begun; after the next has begun, fewer are still to begin.
    here = np.moveaxis(idle[:-1], 1, 2)
    still = [max(0, LEAST_RUNS - begun - 1) for begun in range(LEAST_RUNS + 1)]
    running_on = after.running[cells.landing, :, np.arange(jobs)][:, :, still]
    stopping = after.idle[cells.landing, :, np.arange(jobs)][:, :, still]
    begins = begin + (here + running_on).min(axis=2)
    kept_back = cells.start_work_s * (price - cells.last_rate)
    stops = begin + kept_back + (here + stopping).min(axis=2)
    gained = cells.length_s[:-1] * np.minimum(0.0, cells.early_slope[1:] - price)
    begins_later = np.full((count, jobs), np.inf)
    begins_later[:-1] = begin[1:] + gained + (here[:-1] + running_on[1:]).min(axis=2)
    least: Floats = np.minimum.reduce([ending, ending_later, begins, stops, begins_later])
    return least
