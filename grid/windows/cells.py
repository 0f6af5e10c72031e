"""The edges between which runs are planned, for many pieces of work at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grid.windows.timeline import Floats, Timeline

__all__ = ["TINY_S", "Cells", "Jobs"]

TINY_S = 1e-6


@dataclass(frozen=True, slots=True)
class Jobs:
    """Pieces of work, one an entry, in s; `share` is the power of a start-up as a multiple of the work's."""

    earliest_s: Floats
    latest_s: Floats
    duration_s: Floats
    start_up_s: Floats
    share: Floats

    def __len__(self) -> int:
        return len(self.duration_s)

    def __getitem__(self, chosen: Any) -> Jobs:
        return Jobs(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Cells:
    """What lies at each edge and between it and the next; each array has a row for each edge, a column for each job.

    The edges are those of the steps, those of the time allowed, and one start-up before each; short columns repeat
    their last edge. Costs are integrals in s·g/kWh.

    Attributes:
        edge_s: the edges.
        length_s: time to the next edge; 0 after the last.
        rate: intensity up to the next edge; infinite where it is unknown, and after the last.
        sums: integral of the intensity from time 0 to the edge.
        landing: index of the first edge at or after the end of a start-up that begins here.
        start_cost: emissions of starting here and working as far as the landing; infinite where that is not possible.
        start_work_s: the work done by then.
        last_rate: intensity between the end of the start-up and the landing.
        early_slope: what it costs, for each second gained, to start earlier; not above 0 where that is no choice.
    """

    edge_s: Floats
    length_s: Floats
    rate: Floats
    sums: Floats
    landing: NDArray[np.intp]
    start_cost: Floats
    start_work_s: Floats
    last_rate: Floats
    early_slope: Floats

    @classmethod
    def of(cls, line: Timeline, jobs: Jobs) -> Cells:
        """The cells of these jobs."""
        edge = _edges(line, jobs)
        length = np.diff(edge, axis=1, append=edge[:, -1:])
        rate = np.where(length > 0, _rate_from(line, edge), np.inf)
        start_up, share = jobs.start_up_s[:, None], jobs.share[:, None]
        ready = edge + start_up
        possible = line.holds(edge, ready) & (ready <= jobs.latest_s[:, None] + TINY_S)
        landing = np.array([np.searchsorted(*pair) for pair in zip(edge, ready - TINY_S, strict=True)])
        landing = np.maximum(landing, np.arange(edge.shape[1]) + 1)
        possible &= landing < edge.shape[1]
        landing = landing.clip(max=edge.shape[1] - 1)
        last_rate = np.where(possible, np.take_along_axis(rate, landing - 1, axis=1), 0.0)
        work = np.where(possible, np.take_along_axis(edge, landing, axis=1) - ready, 0.0).clip(min=0.0)
        cost = np.where(possible, share * line.integral(edge, ready) + work * last_rate, np.inf)
        before = np.where(np.isfinite(rate), rate, 0.0)[:, :-1]
        slope = np.where(possible[:, 1:], share * (before - last_rate[:, 1:]) + last_rate[:, 1:], 0.0)
        early = np.zeros_like(edge)
        early[:, 1:] = np.where(np.isfinite(rate[:, :-1]), slope, 0.0)
        columns = (edge, length, rate, line.integral(0.0, edge), landing, cost, work, last_rate, early)
        return cls(*(np.ascontiguousarray(column.T) for column in columns))

    def __getitem__(self, jobs: Any) -> Cells:
        return Cells(*(np.ascontiguousarray(getattr(self, field.name)[:, jobs]) for field in fields(self)))


def _edges(line: Timeline, jobs: Jobs) -> Floats:
    low, high = jobs.earliest_s[:, None], jobs.latest_s[:, None]
    steps = np.broadcast_to(line.edges_s, (len(jobs), len(line.edges_s)))
    steps = np.where(steps <= high, steps, np.nan)
    found = np.concatenate((low, high, steps), axis=1)
    found = np.concatenate((found, found - jobs.start_up_s[:, None]), axis=1)
    found[~((found >= low) & (found <= high))] = np.inf
    found.sort(axis=1)
    found[:, 1:][found[:, 1:] <= found[:, :-1] + TINY_S] = np.inf
    found.sort(axis=1)
    found = found[:, : max(1, int(np.isfinite(found).sum(axis=1).max()))]
    last = np.where(np.isfinite(found), found, -np.inf).max(axis=1, keepdims=True)
    return np.where(np.isfinite(found), found, np.where(np.isfinite(last), last, high))


def _rate_from(line: Timeline, time_s: Floats) -> Floats:
    step = np.searchsorted(line.edges_s, time_s + TINY_S / 2, side="right") - 1
    inside = (step >= 0) & (step < len(line.g_per_kwh))
    step = step.clip(0, len(line.g_per_kwh) - 1)
    return np.where(inside & line.known[step], line.g_per_kwh[step], np.inf)
