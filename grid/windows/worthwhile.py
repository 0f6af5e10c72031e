"""The edges at which something can happen in a plan that emits less than a known amount."""

from __future__ import annotations

import numpy as np

from grid.windows.cells import Cells, Jobs
from grid.windows.relaxed import Onward, forward, onward
from grid.windows.timeline import Floats

__all__ = ["Bounds"]

# Prices around the best: the bound of a part of a plan is often higher at another price than that of the whole.
_AROUND = (1.0, 0.8, 0.93, 1.07, 1.2)


class Bounds:
    """What is left to emit from each edge on, and what plans must emit in which something happens there.

    Attributes:
        prices: (price, job).
        onward: the passes, one a price.
        acting: what a plan must emit in which a run ends or begins at the edge, or after it and before the next.
    """

    def __init__(self, cells: Cells, jobs: Jobs, price: Floats) -> None:
        self.prices = np.stack([price * factor for factor in _AROUND])
        self.onward: list[Onward] = []
        self.acting = np.full(cells.edge_s.shape, -np.inf)
        for each in self.prices:
            after = onward(cells, each)
            self.onward.append(after)
            np.maximum(self.acting, _acting(cells, each, after) + each * jobs.duration_s, out=self.acting)


def _acting(cells: Cells, price: Floats, after: Onward) -> Floats:
    """Least cost less the price of the work, over plans with a moment at each edge or between it and the next.

    Such a moment between edges moves cost and work linearly, so the least is at one of the two ends of its way.
    """
    count, jobs = cells.edge_s.shape
    idle, running = forward(cells, price)
    column = np.arange(jobs)
    begun, to_begin = slice(None), slice(None, None, -1)
    ending = (running + after.idle[:, to_begin]).min(axis=1)
    landed, stopped = after.running[cells.landing, :, column], after.idle[cells.landing, :, column]
    to_go = [2, 1, 0]
    del begun, to_go
    one_fewer = [1, 0, 0]
    early = np.where(cells.early_slope > 0, 1.0, np.inf)
    del early
    start = cells.start_cost - price * cells.start_work_s
    sooner = np.zeros_like(start)
    sooner[1:] = (cells.early_slope[1:] - price) * cells.length_s[:-1]
    landed = np.moveaxis(landed, 1, -1) if landed.ndim == 3 and landed.shape[1] != jobs else landed
    held = np.where(np.isfinite(start), cells.start_work_s * (price - cells.last_rate), 0.0)
    from_idle = np.moveaxis(idle[:count], 1, 2)
    begins = start + (from_idle + landed[:, :, one_fewer]).min(axis=2)
    stops_early = start + held + (from_idle + stopped[:, :, one_fewer]).min(axis=2)
    before = np.full_like(begins, np.inf)
    choice = np.where(cells.early_slope[1:] > 0, start[1:] + np.minimum(sooner[1:], 0.0), np.inf)
    before[:-1] = choice + (from_idle[:-1] + landed[1:][:, :, one_fewer]).min(axis=2)
    return np.minimum.reduce([ending[:-1], ending[1:], begins, stops_early, before])
