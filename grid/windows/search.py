"""The exact search for the best plan in two runs or more, for many pieces of work at once.

Why going from edge to edge is exact. Fix how many runs there are, and in which steps of the series each of them starts,
begins to work and ends: emissions are then linear in the starts and ends, over a polytope given by the steps and the
total of the work. An optimum is at a vertex, where all of these moments but one are fixed: a start at an edge, or one
start-up before an edge, so that work begins there; an end at an edge, or where the next run begins. The last one is
free, and set by the total. (Were two runs to touch at a free moment, moving it would leave the total as it is, so it
can be moved to an edge.)

So labels (work done, emissions so far) go from edge to edge, either idle or running. In each one moment may stay open:
the label then stands for a line of plans, of some length and slope. A label is dropped where another has done as much
for no more, or where Lagrange's bound shows that it cannot come to less than the limit.
"""

from __future__ import annotations

import numpy as np

from grid.windows.acting import Acting, Ints
from grid.windows.cells import TINY_S
from grid.windows.labels import RUNNING, STATES, Labels, undominated
from grid.windows.relaxed import LEAST_RUNS
from grid.windows.timeline import Floats

__all__ = ["cheapest_below"]


class _Moments:
    """Starts and ends in turn, each with the one before; `sign` is how it moves with the open moment."""

    def __init__(self) -> None:
        self._times: list[Floats] = []
        self._signs: list[Floats] = []
        self._before: list[Ints] = []
        self._count = 0

    def add(self, time_s: Floats, sign: float, before: Ints) -> Ints:
        self._times.append(time_s)
        self._signs.append(np.full(len(time_s), sign))
        self._before.append(before)
        self._count += len(time_s)
        return np.arange(self._count - len(time_s), self._count)

    def runs(self, last: Ints, moved_s: Floats) -> list[list[tuple[float, float]]]:
        time, sign, before = (np.concatenate(parts) for parts in (self._times, self._signs, self._before))
        found = []
        for moment, moved in zip(last.tolist(), moved_s.tolist(), strict=True):
            moments = []
            while moment >= 0:
                moments.append(float(time[moment] + sign[moment] * moved))
                moment = int(before[moment])
            found.append(list(zip(moments[::-2], moments[-2::-2], strict=True)))
        return found


def cheapest_below(
    acting: Acting, prices: Floats, duration_s: Floats, limit: Floats
) -> dict[int, list[tuple[float, float]]]:
    """The best runs, two at least, of each job for which some emit less than its limit."""
    return _Search(acting, prices, duration_s, limit).runs()


class _Search:
    """Labels from each job's first acting edge to its last, and the best plans so far."""

    def __init__(self, acting: Acting, prices: Floats, duration_s: Floats, limit: Floats) -> None:
        self._acting, self._prices, self._duration_s, self._least = acting, prices, duration_s, limit.copy()
        count = len(acting.job)
        some = acting.at_least < limit[acting.job]
        # The first edge, from each on, at which something may happen below the limit; `count` where there is none.
        onward = np.append(np.where(some, np.arange(count), count), count)
        onward = np.minimum.accumulate(onward[::-1])[::-1]
        job = np.append(acting.job, -1)
        begins = np.flatnonzero(np.diff(acting.job, prepend=-1))
        self._first = onward[begins]
        self._first = self._first[job[self._first] == acting.job[begins]]
        self._next = np.where(job[onward[1:]] == acting.job, onward[1:], count)
        self._landing = np.where(job[onward[acting.landing]] == acting.job, onward[acting.landing], count)
        passed: Ints = np.cumsum(some) - some
        self._turn = np.append(passed - np.repeat(passed[begins], np.diff(begins, append=count)), -1)
        self._moments = _Moments()
        self._last = np.full(len(limit), -1)
        self._moved_s = np.zeros(len(limit))

    def runs(self) -> dict[int, list[tuple[float, float]]]:
        edge, zero = self._first, np.zeros(len(self._first))
        state = np.full(len(edge), LEAST_RUNS)
        waiting = Labels.of((edge, state, np.full(len(edge), -1)), (zero, zero, zero, zero))
        turn = 0
        while len(waiting):
            due = self._turn[waiting.next] == turn
            running = waiting.state >= RUNNING
            later = self._act(waiting.where(due & running), waiting.where(due & ~running))
            waiting = Labels.joined([waiting, *later])
            waiting = waiting.where(self._turn[waiting.next] > turn)
            turn += 1
        done = np.flatnonzero(self._last >= 0)
        if not len(done):
            return {}
        found = self._moments.runs(self._last[done], self._moved_s[done])
        return dict(zip(done.tolist(), found, strict=True))

    def _act(self, running: Labels, resting: Labels) -> list[Labels]:
        """What may be done at the edge whose turn it is, and is next later on."""
        later = []
        if len(running):
            edge = running.next
            running = self._worth_keeping(running, self._acting.edge_s[edge], self._acting.sums[edge])
        if len(running):
            here, opened = self._stop(running)
            resting = Labels.joined([resting, here])
            going = running.where(np.isfinite(self._acting.rate[running.next]))
            later += [opened, going.at(self._next[going.next])]
        if len(resting):
            resting = self._worth_keeping(resting, 0.0, 0.0)
        if len(resting):
            later += [*self._start(resting), resting.at(self._next[resting.next])]
        return later

    def _stop(self, labels: Labels) -> list[Labels]:
        """Stops here, and stops at an open moment before the next edge."""
        acting, edge = self._acting, labels.next
        time = acting.edge_s[edge]
        moment = self._moments.add(time, 0.0, labels.moment)
        work, cost = labels.work_s + time, labels.cost + acting.sums[edge]
        here = Labels.of((edge, labels.state - RUNNING, moment), (work, cost, labels.slope, labels.span_s))
        may = np.flatnonzero(~labels.open & np.isfinite(acting.rate[edge]))
        edge, some = edge[may], here.take(may)
        moment = self._moments.add(time[may], 1.0, labels.moment[may])
        opened = Labels.of(
            (self._next[edge], some.state, moment),
            (some.work_s, some.cost, acting.rate[edge], acting.length_s[edge]),
        )
        self._finish(here, acting.job[here.next])
        self._finish(opened, acting.job[edge])
        return [here, opened]

    def _start(self, labels: Labels) -> list[Labels]:
        """Starts here, with a stop before the landing too, and starts at an open moment before the next edge."""
        acting = self._acting
        some = labels.where(np.isfinite(acting.start_cost[0, labels.next]))
        begun = self._begun(some, 0, 0.0, some.slope, some.span_s)
        stop = np.flatnonzero(~some.open & (acting.kept_back_s[some.next] > 0))
        some, edge = some.take(stop), some.next[stop]
        moment = self._moments.add(acting.ready_s[edge], 1.0, begun.moment[stop])
        stopped = Labels.of(
            (begun.next[stop], begun.state[stop] - RUNNING, moment),
            (some.work_s, some.cost + acting.ready_cost[edge], acting.kept_back_rate[edge], acting.kept_back_s[edge]),
        )
        self._finish(stopped, acting.job[edge])
        some = labels.where(~labels.open & (acting.early_slope[labels.next] > 0))
        early = self._begun(some, 1, -1.0, acting.early_slope[some.next], acting.length_s[some.next])
        return [begun, stopped, early]

    def _begun(self, labels: Labels, row: int, sign: float, slope: Floats, span_s: Floats) -> Labels:
        """Having started at the edge (row 0) or at the next of all (row 1)."""
        acting, edge = self._acting, labels.next
        state = np.maximum(labels.state - 1, 0) + RUNNING
        moment = self._moments.add(acting.start_s[row, edge], sign, labels.moment)
        work, cost = acting.start_work_s[row, edge], acting.start_cost[row, edge]
        whole = (self._landing[row, edge], state, moment)
        return Labels.of(whole, (labels.work_s + work, labels.cost + cost, slope, span_s))

    def _finish(self, labels: Labels, job: Ints) -> None:
        """Keep the best of the idle labels that have done the work, or do where their open moment is moved."""
        left = self._duration_s[job] - labels.work_s
        cost = labels.cost + labels.slope * left
        done = (left >= -TINY_S) & (left <= labels.span_s + TINY_S) & (labels.state == 0) & (cost < self._least[job])
        best = np.flatnonzero(done)
        best = best[np.argsort(-cost[best], kind="stable")]
        job = job[best]  # of several of one job the last, and cheapest, is what stays
        self._least[job] = cost[best]
        self._last[job] = labels.moment[best]
        self._moved_s[job] = left[best].clip(min=0.0)

    def _worth_keeping(self, labels: Labels, work_s: Floats | float, cost: Floats | float) -> Labels:
        """The labels that may become the best, by the bound and among each other.

        To their own work and cost come those of a run so far.
        """
        edge = labels.next
        job, place = self._acting.job[edge], edge * STATES + labels.state
        duration_s, least = self._duration_s[job], self._least[job]
        done_s, cost = labels.work_s + work_s, labels.cost + cost
        left, room = duration_s - done_s, least - cost
        moved_s = np.minimum(labels.span_s, left)
        keep = left >= -TINY_S
        for prices, onward in zip(self._prices, self._acting.onward, strict=True):
            price = prices[job]
            keep &= price * left + onward[place] - np.maximum(0.0, price - labels.slope) * moved_s < room
        kept = np.flatnonzero(keep)
        share = np.minimum(1.0, done_s[kept] / duration_s[kept])
        return undominated(labels.take(kept), place[kept], share)
