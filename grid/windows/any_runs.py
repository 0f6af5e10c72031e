"""The cheapest seconds, for work that stops and goes on at no cost, many pieces of it at once."""

from __future__ import annotations

import numpy as np

from grid.windows.timeline import Floats, Timeline

__all__ = ["cheapest_runs"]


def cheapest_runs(
    line: Timeline, earliest_s: Floats, latest_s: Floats, duration_s: Floats
) -> list[list[tuple[float, float]] | None]:
    """Runs of each piece of work that emit least, in order of time; None where it does not fit.

    Without a cost of starting, any second can be swapped for a cheaper one that is free, so the optimum is the cheapest
    steps, the dearest of them in part. Of equal steps the earlier is taken, and of a part its beginning.
    """
    begin = np.maximum(line.edges_s[:-1], earliest_s[:, None])
    room = np.where(line.known, np.minimum(line.edges_s[1:], latest_s[:, None]) - begin, 0.0).clip(min=0.0)
    order = np.argsort(line.g_per_kwh, kind="stable")
    used_before = np.cumsum(room[:, order], axis=1) - room[:, order]
    taken = np.empty_like(room)
    taken[:, order] = np.clip(duration_s[:, None] - used_before, 0.0, room[:, order])
    fits = room.sum(axis=1) >= duration_s - 1e-6
    return [
        _joined(begin[row], taken[row], np.flatnonzero(taken[row] > 1e-6)) if fits[row] else None
        for row in range(len(duration_s))
    ]


def _joined(begin: Floats, taken: Floats, chosen: np.ndarray) -> list[tuple[float, float]]:
    runs: list[tuple[float, float]] = []
    for start, length in zip(begin[chosen].tolist(), taken[chosen].tolist(), strict=True):
        if runs and start - runs[-1][1] < 1e-6:
            runs[-1] = (runs[-1][0], start + length)
        else:
            runs.append((start, start + length))
    return runs
