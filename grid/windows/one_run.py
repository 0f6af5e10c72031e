"""The cheapest single run, for many pieces of work at once."""

from __future__ import annotations

import numpy as np

from grid.windows.timeline import Floats, Timeline

__all__ = ["cheapest_starts"]

# Works per round: keeps the matrices of candidates in the processor's cache.
_ROUND = 512


def cheapest_starts(
    line: Timeline, earliest_s: Floats, latest_s: Floats, duration_s: Floats, start_up_s: Floats, start_up_share: Floats
) -> Floats:
    """Start of the run that emits least, the earliest of several; NaN where no run fits.

    What a run emits is, as a function of its start, continuous and linear between the starts at which one of three
    moments (start-up begins, work begins, work ends) meets an edge of the series. Such a function is least at one of
    these starts or at an end of the allowed range, so trying them all gives the exact optimum over all real starts.

    Args:
        line: the intensities.
        earliest_s: the first moment each run may begin.
        latest_s: the moment by which each must have ended.
        duration_s: the work.
        start_up_s: time before the work.
        start_up_share: power of the start-up as a multiple of the work's.
    """
    best = np.full(len(earliest_s), np.nan)
    for begin in range(0, len(best), _ROUND):
        part = slice(begin, begin + _ROUND)
        low, start_up, share = earliest_s[part, None], start_up_s[part, None], start_up_share[part, None]
        length = start_up + duration_s[part, None]
        high = latest_s[part, None] - length
        shifts = [length] if not start_up.any() else [length, start_up]
        edges = np.broadcast_to(line.edges_s, (len(low), len(line.edges_s)))
        starts = np.concatenate([low, high, edges, *(edges - shift for shift in shifts)], axis=1)
        starts = np.where((starts >= low) & (starts <= high), starts, np.nan)
        cost = line.integral(starts + start_up, starts + length)
        if start_up.any():
            cost += share * line.integral(starts, starts + start_up)
        cost[~line.holds(starts, starts + length)] = np.inf
        least = cost.min(axis=1, keepdims=True)
        tied = np.where(cost <= least + 1e-9 * (1 + np.abs(least)), starts, np.inf)
        best[part] = np.where(np.isfinite(least[:, 0]), tied.min(axis=1), np.nan)
    return best
