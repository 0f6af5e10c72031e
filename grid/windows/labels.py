"""Partial plans on their way from edge to edge, and which of them another makes needless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grid.windows.acting import Ints
from grid.windows.relaxed import LEAST_RUNS
from grid.windows.timeline import Floats

__all__ = ["RUNNING", "STATES", "Labels", "undominated"]

# Lines are compared with so many cheaper ones.
_NEIGHBOURS = 4
# A label's state is how many runs are still to begin, and so much more while running.
RUNNING = LEAST_RUNS + 1
STATES = 2 * RUNNING


@dataclass(frozen=True, slots=True)
class Labels:
    """Partial plans, or lines of them: with the open moment moved by 0 to `span_s`, work and cost grow.

    While running, work and cost are those that would have been at time 0, had the run worked from there on: so they
    stay the same until it ends. The columns are rows of two arrays, so that choosing labels is two calls.
    """

    whole: Ints
    real: Floats

    @classmethod
    def of(cls, whole: tuple[Ints, ...], real: tuple[Floats, ...]) -> Labels:
        """Labels from `next`, `state`, `moment` and from `work_s`, `cost`, `slope`, `span_s`."""
        return cls(np.array(whole), np.array(real))

    def __len__(self) -> int:
        return len(self.state)

    @property
    def next(self) -> Ints:
        """The acting edge where the label is next."""
        return self.whole[0, :]

    @property
    def state(self) -> Ints:
        """Runs still to begin, and `RUNNING` more while running."""
        return self.whole[1, :]

    @property
    def moment(self) -> Ints:
        """The last of its starts and ends so far."""
        return self.whole[2, :]

    @property
    def work_s(self) -> Floats:
        """Work done, in s."""
        return self.real[0, :]

    @property
    def cost(self) -> Floats:
        """Emissions so far, in s·g/kWh."""
        return self.real[1, :]

    @property
    def slope(self) -> Floats:
        """What each second costs by which the open moment moves, in g/kWh."""
        return self.real[2, :]

    @property
    def span_s(self) -> Floats:
        """0 where no moment is open."""
        return self.real[3, :]

    @property
    def open(self) -> NDArray[np.bool_]:
        """Whether a moment is open."""
        return self.span_s > 0

    def where(self, chosen: NDArray[np.bool_]) -> Labels:
        """The labels so marked."""
        return self.take(np.flatnonzero(chosen))

    def take(self, places: Ints) -> Labels:
        """The labels at these places."""
        return Labels(self.whole.take(places, axis=1), self.real.take(places, axis=1))

    def at(self, edge: Ints) -> Labels:
        """The same labels, next at these edges."""
        return Labels(np.array((edge, self.state, self.moment)), self.real)

    @staticmethod
    def joined(parts: list[Labels]) -> Labels:
        """All labels of the parts."""
        whole, real = [part.whole for part in parts], [part.real for part in parts]
        return Labels(np.concatenate(whole, axis=1), np.concatenate(real, axis=1))


def undominated(labels: Labels, group: Ints, share: Floats) -> Labels:
    """The labels without those that another of their group makes needless: as much done for no more, wherever it leads.

    `share` is that of the work done, from 0 to 1: of labels in order of their group the most so far is the group's.
    """
    closed = np.flatnonzero(~labels.open)
    order = closed[np.lexsort((-share[closed], labels.cost[closed], group[closed]))]
    done = 2.0 * group[order] + share[order]
    kept = order[np.concatenate(([True], done[1:] > np.maximum.accumulate(done)[:-1]))[: len(order)]]
    lines = np.flatnonzero(labels.open)
    lines = lines[np.lexsort((labels.cost[lines], group[lines]))]
    line = labels.take(lines)
    group, end, top = group[lines], line.work_s + line.span_s, line.cost + line.slope * line.span_s
    needless = np.zeros(len(lines), dtype=bool)
    for step in range(1, _NEIGHBOURS + 1):
        other = np.flatnonzero(group[step:] == group[:-step])
        if not len(other):
            break
        this = other + step
        at_start = np.maximum(0.0, line.work_s[this] - line.work_s[other])
        at_end = np.maximum(0.0, end[this] - line.work_s[other])
        needless[this] |= (
            (end[other] >= end[this])
            & (line.cost[other] + line.slope[other] * at_start <= line.cost[this])
            & (line.cost[other] + line.slope[other] * at_end <= top[this])
        )
    return labels.take(np.concatenate((kept, lines[~needless])))
