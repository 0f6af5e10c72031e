"""Which station runs which job, or what part of it: by price, earliest deadline first. A heuristic.

Time is cut into bins. Each job takes the cheapest free bins of the station on which they cost least; what starts they
add counts too. A job that fits on no station is cut up over several. Jobs with an earlier deadline have chosen before,
so where all stations take all jobs and all may begin now, every deadline that can be kept still is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.data import Station
from sprout_like.jobs.planning.order import TINY_S, Task, too_late
from sprout_like.jobs.planning.outlook import Floats, Outlook

__all__ = ["Load", "assigned"]

_BINS = 192
_LEAST_BIN_S = 900.0
# A part that takes less is not worth another station.
_LEAST_PART_S = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """A job: in s from now. stations: numbers of those that take it, one at least."""

    number: int
    tokens: float
    release_s: float
    due_s: float
    stations: tuple[int, ...]


def assigned(
    loads: Sequence[Load], stations: Sequence[Station], outlooks: Sequence[Outlook], margin: float
) -> list[list[Task]]:
    """The tasks of each station."""
    if all(len(load.stations) == 1 for load in loads):
        tasks: list[list[Task]] = [[] for _ in stations]
        for load in loads:
            number = load.stations[0]
            work_s = load.tokens / stations[number].pace_tokens_per_s
            tasks[number].append(Task(load.number, work_s, load.release_s, load.due_s))
        return tasks
    last_s = max([3600.0, *(load.due_s for load in loads)])
    books = [_Book(*pair, last_s) for pair in zip(stations, outlooks, strict=True)]
    for load in sorted(loads, key=lambda each: (each.due_s, each.number)):
        _assign(load, books, margin)
    return [book.tasks for book in books]


def _assign(load: Load, books: Sequence[_Book], margin: float) -> None:
    for kept_free in (margin, 0.0):
        offers = [(number, books[number].offer(load, kept_free)) for number in load.stations]
        fitting = [(offer.price_g, number, offer) for number, offer in offers if offer is not None]
        if fitting:
            _, number, offer = min(fitting, key=lambda each: each[:2])
            books[number].take(load, offer)
            return
    possible = [number for number in load.stations if books[number].could(load)]
    if possible:
        number = min(possible, key=lambda each: books[each].mean_g_per_token())
        books[number].take(load, None)
        return
    _cut_up(load, books, margin)


def _cut_up(load: Load, books: Sequence[_Book], margin: float) -> None:
    """Parts on several stations: as much as each has time for, cheapest first; what is left by how soon it is done."""
    left = load.tokens
    parts = dict.fromkeys(load.stations, 0.0)
    for number in sorted(load.stations, key=lambda each: books[each].mean_g_per_token()):
        part = min(left, books[number].room_s(load) / (1 + margin) * books[number].pace)
        if part >= min(left, _LEAST_PART_S * books[number].pace):
            parts[number] += part
            left -= part
    while left > 1e-9 * load.tokens:
        soonest = sorted(load.stations, key=lambda each: books[each].busy_s(load, parts[each]))
        first = books[soonest[0]]
        lead_s = books[soonest[1]].busy_s(load, parts[soonest[1]]) - first.busy_s(load, parts[soonest[0]])
        part = min(left, max(lead_s, _LEAST_PART_S) * first.pace)
        parts[soonest[0]] += part
        left -= part
    for number, tokens in parts.items():
        if tokens > 0:
            books[number].take(load, None, tokens)


@dataclass(frozen=True, slots=True)
class _Offer:
    price_g: float
    taken_s: Floats


class _Book:
    """What a station has promised, bin by bin."""

    def __init__(self, station: Station, outlook: Outlook, last_s: float) -> None:
        self.pace = station.pace_tokens_per_s
        self.tasks: list[Task] = []
        bin_s = max(_LEAST_BIN_S, last_s / _BINS)
        self._edges = np.arange(0.0, last_s + bin_s, bin_s)
        begin, end = self._edges[:-1], self._edges[1:]
        rate = np.arange(len(begin)) * 1e-9 if outlook.blind else outlook.integral(begin, end) / bin_s
        self._g_per_s = station.power_w / JOULES_PER_KWH * rate
        self._load_g = station.load_j / JOULES_PER_KWH * rate
        self._order = np.argsort(self._g_per_s, kind="stable")
        self._load_s = 0.0 if station.loaded else station.load_s
        self._used = np.clip(self._load_s - begin, 0.0, bin_s)
        self._on = np.zeros(len(begin), dtype=bool)
        self._on[0] = station.loaded

    def offer(self, load: Load, margin: float) -> _Offer | None:
        """The cheapest free time that holds the job; None where there is too little."""
        work_s = load.tokens / self.pace
        free = self._free_s(load, load.due_s - margin * work_s)[self._order]
        before = np.cumsum(free) - free
        if before[-1] + free[-1] < work_s - TINY_S:
            return None
        taken = np.empty_like(free)
        taken[self._order] = np.clip(work_s - before, 0.0, free)
        on = taken > 0
        begins = on & ~self._on
        begins[1:] &= ~(on | self._on)[:-1]
        return _Offer(float(taken @ self._g_per_s + self._load_g[begins].sum()), taken)

    def could(self, load: Load) -> bool:
        """Whether it fits when other jobs are moved."""
        return not too_late([*self.tasks, self._task(load, load.tokens)], self._load_s)

    def take(self, load: Load, offer: _Offer | None, tokens: float | None = None) -> None:
        """Promise the job, or that part of it."""
        task = self._task(load, load.tokens if tokens is None else tokens)
        self.tasks.append(task)
        if offer is None:
            free = self._free_s(load, self._edges[-1])
            taken = np.clip(task.work_s - (np.cumsum(free) - free), 0.0, free)
        else:
            taken = offer.taken_s
        self._used = self._used + taken
        self._on |= taken > 0

    def room_s(self, load: Load) -> float:
        """Free time before the deadline."""
        return float(self._free_s(load, load.due_s).sum())

    def busy_s(self, load: Load, tokens: float) -> float:
        """When about it would be done with all that it has promised and so much of this job."""
        release_s = max(load.release_s, self._load_s)
        return max(release_s, self._load_s + sum(task.work_s for task in self.tasks)) + tokens / self.pace

    def mean_g_per_token(self) -> float:
        """What a token costs in the mean of all bins."""
        return float(self._g_per_s.mean()) / self.pace

    def _task(self, load: Load, tokens: float) -> Task:
        return Task(load.number, tokens / self.pace, load.release_s, load.due_s)

    def _free_s(self, load: Load, due_s: float) -> Floats:
        begin = np.maximum(self._edges[:-1], load.release_s)
        inside = np.maximum(np.minimum(self._edges[1:], due_s) - begin, 0.0)
        left: Floats = np.minimum(inside, np.diff(self._edges) - self._used)
        return np.maximum(left, 0.0)
