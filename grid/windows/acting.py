"""The edges at which something may happen in a plan worth having, of many pieces of work, in one row."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from grid.windows.cells import Cells, Jobs
from grid.windows.timeline import Floats
from grid.windows.worthwhile import Bounds

__all__ = ["Acting", "Ints"]

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Acting:
    """Each array has an entry for each edge; the edges of a job follow one another, in order of time.

    Attributes:
        job: whose edge it is.
        at_least: what a plan must emit in which a run ends or begins here, or between here and the next edge of all;
            minus infinite where the unknown begins, which no run may pass.
        edge_s, sums, length_s, rate: as in `Cells`.
        start_s: the start of a run that begins here, and in the second row at the next edge of all.
        start_work_s, start_cost: work and cost such a run would have had at time 0, had it worked from there on; the
            cost is infinite where no run can begin.
        landing: the entry that follows when such a run has landed; that of another job where none does.
        ready_s: end of the start-up of a run that begins here.
        kept_back_s, kept_back_rate: length and intensity of its work before the landing.
        ready_cost: emissions of its start-up.
        early_slope: what each second costs by which a run begins before the next edge; not above 0 where it may not.
        onward: least cost less the price of the work from here on, for each price and each of the states: idle, then
            running, by how many runs are still to begin.
    """

    job: Ints
    at_least: Floats
    edge_s: Floats
    sums: Floats
    length_s: Floats
    rate: Floats
    start_s: Floats
    start_work_s: Floats
    start_cost: Floats
    landing: Ints
    ready_s: Floats
    kept_back_s: Floats
    kept_back_rate: Floats
    ready_cost: Floats
    early_slope: Floats
    onward: Floats

    @classmethod
    def of(cls, cells: Cells, jobs: Jobs, bounds: Bounds, numbers: Ints, enough: Floats) -> Acting:
        """The edges of these jobs, known by their numbers, at which something may happen for less than `enough`."""
        at_least = np.where(np.isinf(cells.rate) & (cells.length_s > 0), -np.inf, bounds.acting)
        some = at_least < enough
        job, edge = np.nonzero(some.T)
        here, following = (edge, job), (np.minimum(edge + 1, len(some) - 1), job)
        before = np.cumsum(some, axis=0) - some + np.cumsum(some.sum(axis=0)) - some.sum(axis=0)
        landed = (cells.landing, np.arange(len(jobs)))
        both = (np.stack((edge, following[0])), job)
        kept_back = cells.start_work_s[here]
        ready_cost = np.where(np.isfinite(cells.start_cost), cells.start_cost, 0.0)[here]
        idle, running = (np.moveaxis(table[:, edge, :, job], 0, 1) for table in (bounds.idle, bounds.running))
        return cls(
            job=numbers[job],
            at_least=at_least[here],
            edge_s=cells.edge_s[here],
            sums=cells.sums[here],
            length_s=cells.length_s[here],
            rate=cells.rate[here],
            start_s=cells.edge_s[both],
            start_work_s=(cells.start_work_s - cells.edge_s[landed])[both],
            start_cost=(cells.start_cost - cells.sums[landed])[both],
            landing=before[landed][both],
            ready_s=cells.edge_s[here] + jobs.start_up_s[job],
            kept_back_s=kept_back,
            kept_back_rate=cells.last_rate[here],
            ready_cost=ready_cost - kept_back * cells.last_rate[here],
            early_slope=np.where(edge < following[0], cells.early_slope[following], 0.0),
            onward=np.concatenate((idle, running), axis=2).reshape(len(idle), -1),
        )

    @classmethod
    def joined(cls, parts: list[Acting]) -> Acting:
        """The edges of all parts, one after the other."""
        columns = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1) for field in fields(cls)
        }
        counts = [len(part.job) for part in parts]
        columns["landing"] += np.repeat(np.cumsum(counts) - counts, counts)
        return cls(**columns)
