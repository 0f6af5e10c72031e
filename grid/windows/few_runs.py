"""The cheapest runs where every one of them pays for a start-up, many pieces of work at once.

The best single run is known. Lagrange's bound on plans in two runs or more (`relaxed`) settles most work: nothing in
several runs can emit less. For the rest the exact search (`search`) is asked for plans that emit less than a limit a
little above that bound. What it finds under a limit is the optimum; where it finds nothing the limit is raised, up to
what the single run emits. So the effort follows the true gap between bound and optimum, which is small, and no good
plan has to be guessed beforehand.
"""

from __future__ import annotations

import numpy as np

from grid.windows.acting import Acting
from grid.windows.cells import Cells, Jobs
from grid.windows.relaxed import best_prices
from grid.windows.search import cheapest_below
from grid.windows.timeline import Floats, Timeline
from grid.windows.worthwhile import AROUND, Bounds

__all__ = ["cheapest_restarts"]

_Runs = list[tuple[float, float]]

# Limits above the bound, as a share of it. In `benchmarks.windows` more than half of all gaps are below the second and
# nine of ten below the fourth; the effort grows steeply with what a limit leaves above the optimum, hence small steps.
_LIMITS = (1e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 2e-2, 6e-2, np.inf)
# Works per round of bounds, alike in how many steps they may use: keeps the tables in the processor's cache.
_ROUND = 1024
# Works searched together: a step of the search has a fixed cost, and the edges of all of them are in memory.
_TOGETHER = 4 * _ROUND


def cheapest_restarts(line: Timeline, jobs: Jobs, starts: Floats) -> list[_Runs | None]:
    """The runs that emit least: the single run that begins at `starts` unless several are better.

    None where the work does not fit; a start is NaN where it does not fit in one run.
    """
    ready = starts + jobs.start_up_s
    single = jobs.share * line.integral(starts, ready) + line.integral(ready, ready + jobs.duration_s)
    single[np.isnan(starts)] = np.inf
    ends = ready + jobs.duration_s
    runs: list[_Runs | None] = [
        None if np.isnan(start) else [(start, end)] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    spans = np.argsort(jobs.latest_s - jobs.earliest_s)
    for begin in range(0, len(jobs), _TOGETHER):
        some = spans[begin : begin + _TOGETHER]
        for job, found in _several(line, jobs[some], single[some]).items():
            runs[some[job]] = found
    return runs


def _several(line: Timeline, jobs: Jobs, single: Floats) -> dict[int, _Runs]:
    """The jobs for which runs in the plural emit less than `single`, with these runs."""
    enough = np.where(np.isfinite(single), single * (1.0 - 1e-9) - 1e-9, np.inf)
    bound, prices, acting = _bounded(line, jobs, enough)
    unsettled = bound < enough
    found: dict[int, _Runs] = {}
    for share in _LIMITS:
        if not unsettled.any():
            break
        limit = np.minimum(enough, bound + share * (1.0 + np.abs(bound)))
        limit[~unsettled] = -np.inf
        chosen = cheapest_below(acting, prices, jobs.duration_s, limit)
        found |= chosen
        unsettled &= limit < enough
        unsettled[list(chosen)] = False
    return found


def _bounded(line: Timeline, jobs: Jobs, enough: Floats) -> tuple[Floats, Floats, Acting]:
    """The bound of each job, its prices, and the edges that matter where the bound is below `enough`."""
    bound, prices, parts = np.empty(len(jobs)), np.zeros((len(AROUND), len(jobs))), []
    for begin in range(0, len(jobs), _ROUND):
        part = np.arange(begin, min(begin + _ROUND, len(jobs)))
        cells = Cells.of(line, jobs[part])
        price, bound[part] = best_prices(cells, jobs.duration_s[part], enough[part])
        left = np.flatnonzero(bound[part] < enough[part])
        some = part[left]
        bounds = Bounds.of(cells := cells[left], jobs[some], price[left])
        prices[:, some] = bounds.prices
        parts.append(Acting.of(cells, jobs[some], bounds, some, enough[some]))
    return bound, prices, Acting.joined(parts)
