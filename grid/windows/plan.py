"""From works and a series to plans."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from grid.errors import WindowError
from grid.intensity import Series
from grid.windows.any_runs import cheapest_runs
from grid.windows.cells import Jobs
from grid.windows.few_runs import cheapest_restarts
from grid.windows.one_run import cheapest_starts
from grid.windows.timeline import Floats, Timeline
from grid.windows.work import JOULES_PER_KWH, Window, WindowPlan, Work

__all__ = ["plan", "plan_many"]

_Runs = list[tuple[float, float]]


def plan(work: Work, series: Series) -> WindowPlan:
    """The windows in which the work emits least, over all real moments and not slots alone.

    Nothing is planned where the intensity is unknown: before and after the series, and in its gaps. Of plans that emit
    the same, the earliest is taken; with a cost of starting, one run before several.

    Raises:
        WindowError: the work does not fit; the message says how much room there is.
    """
    found = plan_many([work], series)[0]
    if isinstance(found, WindowError):
        raise found
    return found


def plan_many(works: Sequence[Work], series: Series) -> list[WindowPlan | WindowError]:
    """Plans of works that do not get into each other's way, in their order; the error where one does not fit.

    Each is planned as if it were alone: there is no limit to how many run at once, so all may choose the same hour.
    """
    if not len(series):
        return [WindowError("window: the series is empty, so no intensity is known; give a forecast") for _ in works]
    line = Timeline.of(series)
    first, last = float(line.edges_s[0]), float(line.edges_s[-1])
    begins = np.array([first if w.earliest_utc is None else line.seconds(w.earliest_utc) for w in works])
    earliest = begins.clip(min=first)
    latest = np.array([line.seconds(work.deadline_utc) for work in works]).clip(max=last)
    duration = np.array([work.duration_s for work in works], dtype=float)
    start_up = np.array([work.start_up_s for work in works], dtype=float)
    share = np.array([w.start_up_j / w.start_up_s / w.power_w if w.start_up_s else 0.0 for w in works])

    jobs = Jobs(earliest, latest, duration, start_up, share)

    scattered = np.array([work.interruptible and not work.start_up_s for work in works], dtype=bool)
    runs: list[_Runs | None] = [None] * len(works)
    single = np.flatnonzero(~scattered)
    starts = cheapest_starts(line, *(column[single] for column in (earliest, latest, duration, start_up, share)))
    for index, start in zip(single.tolist(), starts.tolist(), strict=True):
        runs[index] = None if math.isnan(start) else [(start, start + start_up[index] + duration[index])]
    anywhere = np.flatnonzero(scattered)
    for index, chosen in zip(
        anywhere.tolist(), cheapest_runs(line, earliest[anywhere], latest[anywhere], duration[anywhere]), strict=True
    ):
        runs[index] = chosen
    again = [row for row, index in enumerate(single.tolist()) if works[index].interruptible]
    for row, chosen in zip(again, cheapest_restarts(line, jobs[single[again]], starts[again]), strict=True):
        runs[int(single[row])] = chosen

    at_once = _one_run_sums(line, begins, duration, start_up, share)
    sums = _sums(line, runs, start_up, share)
    return [
        _unfit(line, work, float(earliest[index]), float(latest[index]))
        if (chosen := runs[index]) is None
        else _as_plan(line, work, chosen, sums[index], float(at_once[index]))
        for index, work in enumerate(works)
    ]


def _sums(line: Timeline, runs: list[_Runs | None], start_up: Floats, share: Floats) -> list[float]:
    """Integral of the intensity over each work's runs, the start-ups weighted, in s·g/kWh."""
    owner = np.array([index for index, chosen in enumerate(runs) for _ in chosen or ()], dtype=np.intp)
    starts, ends = np.array([run for chosen in runs for run in chosen or ()], dtype=float).reshape(-1, 2).T
    ready = starts + start_up[owner]
    each = share[owner] * line.integral(starts, ready) + line.integral(ready, ends)
    return np.bincount(owner, each, minlength=len(runs)).tolist()  # type: ignore[no-any-return]


def _one_run_sums(line: Timeline, starts: Floats, duration: Floats, start_up: Floats, share: Floats) -> Floats:
    """Integral of each run from its start on, its start-up weighted; NaN where it meets an unknown intensity."""
    ready = starts + start_up
    sums = share * line.integral(starts, ready) + line.integral(ready, ready + duration)
    return np.where(line.holds(starts, ready + duration), sums, np.nan)


def _as_plan(line: Timeline, work: Work, runs: _Runs, total: float, at_once: float) -> WindowPlan:
    grams_per_sum = work.power_w / JOULES_PER_KWH
    energy_kwh = (work.power_w * work.duration_s + len(runs) * work.start_up_j) / JOULES_PER_KWH
    emitted_g = total * grams_per_sum
    return WindowPlan(
        windows=tuple(Window(line.moment(start), line.moment(end)) for start, end in runs),
        emitted_g=emitted_g,
        mean_g_per_kwh=emitted_g / energy_kwh,
        at_once_g=None if math.isnan(at_once) else at_once * grams_per_sum,
    )


def _unfit(line: Timeline, work: Work, earliest_s: float, latest_s: float) -> WindowError:
    begin = np.maximum(line.edges_s[:-1], earliest_s)
    room = np.where(line.known, np.minimum(line.edges_s[1:], latest_s) - begin, 0.0).clip(min=0.0)
    longest = current = 0.0
    for length in room.tolist():
        current = current + length if length else 0.0
        longest = max(longest, current)
    needed = work.duration_s + work.start_up_s
    runs = "in runs" if work.interruptible else "in one run"
    return WindowError(
        f"window: {needed:g} s of work, start-up included, do not fit {runs} before {work.deadline_utc.isoformat()}: "
        f"the intensity is known for {float(room.sum()):g} s of that span, {longest:g} s at the longest stretch; "
        "move the deadline, or give a longer forecast"
    )
