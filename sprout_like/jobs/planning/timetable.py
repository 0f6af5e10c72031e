"""One station's timetable: in time first, then what emits least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from sprout_like.jobs.planning.data import Station
from sprout_like.jobs.planning.legs import Emitted, Leg, emitted, legs_of
from sprout_like.jobs.planning.order import TINY_S, Task, ends, in_order, too_late
from sprout_like.jobs.planning.outlook import Floats, Outlook
from sprout_like.jobs.planning.program import Stretch, always_on, cheapest_stretches
from sprout_like.jobs.planning.slots import Grain, Ints, Slots
from sprout_like.jobs.planning.trimming import trimmed

__all__ = ["Conditions", "Timetable", "at_once", "timetable"]

# A fleet's choices may cost this much more than the best, so that not all begin in the same second.
_MOST_JITTER = 0.01
# What is put off for less than this is put off for an error of the forecast.
_NOT_WORTH_WAITING = 0.002
# Hours are told apart by less than that.
_NUDGE = 0.003
_NUDGED_H = 48
_MOST_REPAIRS = 40
# Deadlines at which slots end, so that time before them is not lost.
_MOST_EDGES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What is the same for all stations.

    Attributes:
        now_s: now, in s of the epoch; it is read for the clock's slots alone.
        margin: time kept free before a deadline, as a share of all the work that is due by then.
        seed: of the jitter; None for none.
        slot_s: length of the slots in which a station is on or off. fine_s: further ahead they are longer.
    """

    now_s: float
    margin: float
    seed: int | None
    slot_s: float
    fine_s: float


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a station does. late: numbers of the jobs that miss their deadline. ends_s: when each job is done."""

    legs: tuple[Leg, ...]
    late: frozenset[int]
    ends_s: dict[int, float]
    emitted: Emitted


def at_once(station: Station, outlook: Outlook, tasks: Sequence[Task]) -> Timetable:
    """The station works from now on as long as there is anything to do."""
    late = frozenset(too_late(tasks, _ready_s(station)))
    return _told(station, outlook, tasks, late, [_on(station, 0.0, math.inf)])


def timetable(station: Station, outlook: Outlook, tasks: Sequence[Task], conditions: Conditions) -> Timetable:
    """What emits least of all that keeps the deadlines which can be kept; jobs that are late run as soon as possible.

    Exact for the slots where all jobs may begin now. Where some may not, the deadlines are kept, and the least is
    looked for as if those that are there could be done in any order; where that fails, time is added.
    """
    first = at_once(station, outlook, tasks)
    if outlook.blind or not tasks:
        return first
    search = _Search(station, outlook, tasks, conditions, first)
    best = min((search.of(conditions.now_s, None), first), key=lambda each: each.emitted.total_g)
    if first.emitted.total_g <= (1 + _NOT_WORTH_WAITING) * best.emitted.total_g:
        return first
    if conditions.seed is None or station.loaded:  # to go on is not to start
        return best
    key = f"{conditions.seed}:{station.worker_id}"
    offset_s = Random(key).random() * search.grain.slot_s
    for share in (1.0, 0.1):
        moved = search.of(conditions.now_s - share * offset_s, _nudge(key, conditions.now_s))
        if moved.emitted.total_g <= (1 + _MOST_JITTER) * best.emitted.total_g:
            return moved
    return best


def _nudge(key: str, now_s: float) -> Callable[[Floats], Floats]:
    """A factor for each hour of the clock, drawn for this station; the hour that runs has none, so waiting must pay."""
    hour = int(now_s // 3600)
    drawn = [1.0] + [1.0 + _NUDGE * Random(f"{key}:{hour + ahead}").random() for ahead in range(1, _NUDGED_H)]
    factors = np.array([*drawn, 1.0 + _NUDGE / 2])

    def factor(time_s: Floats) -> Floats:
        ahead = ((now_s + time_s) // 3600 - hour).astype(int)
        found: Floats = factors[np.minimum(ahead, _NUDGED_H)]
        return found

    return factor


def _ready_s(station: Station) -> float:
    return 0.0 if station.loaded else station.load_s


def _on(station: Station, start_s: float, end_s: float) -> Stretch:
    """A stretch from now on, or where loading is to begin later."""
    if start_s == 0 and station.loaded:
        return Stretch(0.0, 0.0, end_s, False)
    return Stretch(start_s, start_s + station.load_s, end_s, True)


def _told(
    station: Station, outlook: Outlook, tasks: Sequence[Task], late: frozenset[int], stretches: Sequence[Stretch]
) -> Timetable:
    windows = [(each.ready_s, each.end_s) for each in stretches]
    windows[-1] = (windows[-1][0], math.inf)
    pieces = in_order(tasks, windows, late)
    legs = tuple(legs_of(pieces, stretches, station.load_s))
    return Timetable(legs, late, ends(pieces), emitted(station, outlook, legs))


class _Search:
    def __init__(
        self, station: Station, outlook: Outlook, tasks: Sequence[Task], conditions: Conditions, first: Timetable
    ) -> None:
        self._station, self._outlook, self._tasks, self._first = station, outlook, tasks, first
        self._margin = conditions.margin
        self._late_work_s = sum(task.work_s for task in tasks if task.number in first.late)
        self._late_end_s = max((first.ends_s[number] for number in first.late), default=0.0)
        self._work_s = sum(task.work_s for task in tasks)
        self._fitting = sorted((task for task in tasks if task.number not in first.late), key=lambda task: task.due_s)
        due = np.cumsum([task.work_s for task in self._fitting]).tolist()
        self._needed_s = [
            (task.due_s - self._margin * work_s, work_s) for task, work_s in zip(self._fitting, due, strict=True)
        ]
        also_s = tuple(due_s for due_s, _ in self._needed_s[:_MOST_EDGES])
        self.grain = Grain.of(self._work_s, conditions.slot_s, conditions.fine_s, also_s)

    def of(self, clock_s: float, factor: Callable[[Floats], Floats] | None) -> Timetable:
        """The best in slots of that clock."""
        last_s, slot_s = max(self._first.ends_s.values()), self.grain.slot_s
        end_s = max(last_s + 3 * slot_s, *(task.due_s for task in self._tasks))
        while True:
            slots = Slots.of(self._station, self._outlook, self.grain, clock_s=clock_s, end_s=end_s, factor=factor)
            most = self._most(slots)
            soonest = always_on(slots, most, loaded=self._station.loaded)
            if soonest[-1] == most[-1]:
                break
            end_s += slot_s + 0.2 * last_s
        least = np.minimum(self._least(slots, most, soonest), soonest)
        # What is cheaper in units need not be after repairs and trimming: whole slots alone are tried too.
        tables = []
        for parts in sorted({0, self.grain.parts}):
            stretches = cheapest_stretches(slots, least, most, loaded=self._station.loaded, parts=parts)
            if self._late_work_s:
                stretches = self._with(stretches, 0.0, self._late_end_s)
            tables.append(self._repaired(stretches))
        return min(tables, key=lambda each: each.emitted.total_g)

    def _most(self, slots: Slots) -> Ints:
        """Units that are there to be done by each edge: what comes within a slot counts from the next on."""
        order = sorted((task.release_s, task.work_s) for task in self._tasks)
        there = np.concatenate(([0.0], np.cumsum([work_s for _, work_s in order])))
        begun = np.append(0.0, slots.edge_s[:-1])
        count = np.searchsorted([release_s for release_s, _ in order], begun + TINY_S)
        most = np.ceil(there[count] / slots.unit_s - 1e-9).astype(np.intp)
        most[0] = 0
        most[-1] = max(most[-1], math.ceil(self._work_s / slots.unit_s - 1e-9))
        return most

    def _least(self, slots: Slots, most: Ints, soonest: Ints) -> Ints:
        least = np.zeros(len(slots.edge_s), dtype=np.intp)
        for due_s, work_s in self._needed_s:
            edge = int(np.searchsorted(slots.edge_s, due_s + TINY_S)) - 1
            # Late jobs come before it, unless the station is always on by then anyhow.
            units = math.ceil((work_s + self._late_work_s) / slots.unit_s - 1e-9)
            least[max(edge, 1)] = max(least[max(edge, 1)], units)
        if self._late_work_s:
            until = int(np.searchsorted(slots.edge_s, self._late_end_s)) + 1
            least[:until] = soonest[:until]
        least[-1] = most[-1]
        raised: Ints = np.maximum.accumulate(least)
        return raised

    def _repaired(self, stretches: list[Stretch]) -> Timetable:
        """With time added where a job that can be in time is not: rounding, or jobs that may not begin yet."""
        for _ in range(_MOST_REPAIRS):
            told = _told(self._station, self._outlook, self._tasks, self._first.late, stretches)
            missed = [task for task in self._fitting if told.ends_s[task.number] > self._wanted_s(task)]
            if not missed:
                return self._trimmed(stretches, told)
            first, due_s = missed[0], self._wanted_s(missed[0])
            begins_s = {task.release_s for task in self._fitting if task.release_s <= first.release_s}
            begin_s = max(sorted(begins_s), key=lambda each: self._lacking_s(each, first.due_s, due_s, stretches))
            longer = self._with(stretches, max(0.0, begin_s - self._station.load_s), due_s)
            if longer == stretches:
                break
            stretches = longer
        return self._first

    def _trimmed(self, stretches: Sequence[Stretch], told: Timetable) -> Timetable:
        """Without time that is too much, unless a job is then done after its margin begins, and later than before."""
        shorter = trimmed(
            self._station,
            self._outlook,
            stretches,
            work_s=self._work_s,
            needed=[(due_s, work_s + self._late_work_s) for due_s, work_s in self._needed_s],
            from_s=self._late_end_s,
        )
        if shorter == stretches:
            return told
        tried = _told(self._station, self._outlook, self._tasks, self._first.late, shorter)
        until_s = dict(told.ends_s)
        for task, (due_s, _) in zip(self._fitting, self._needed_s, strict=True):
            until_s[task.number] = max(until_s[task.number], due_s)
        kept = all(end_s <= until_s[number] + TINY_S for number, end_s in tried.ends_s.items())
        return tried if kept and tried.emitted.total_g < told.emitted.total_g else told

    def _wanted_s(self, task: Task) -> float:
        """When it must be done: with its margin, if that is possible."""
        kept_free_s = task.due_s - self._margin * task.work_s
        soonest_s = self._first.ends_s[task.number]
        # A unit of rounding does not make a plan worse; only the deadline itself is hard.
        return min(max(kept_free_s, soonest_s + 2 * 60.0), task.due_s) + TINY_S

    def _lacking_s(self, begin_s: float, due_s: float, end_s: float, stretches: Sequence[Stretch]) -> float:
        """Time that jobs which come from `begin_s` on and are due by `due_s` lack until `end_s`."""
        needed = sum(t.work_s for t in self._fitting if t.release_s >= begin_s and t.due_s <= due_s)
        on = sum(max(0.0, min(each.end_s, end_s) - max(each.ready_s, begin_s)) for each in stretches)
        return needed - on

    def _with(self, stretches: Sequence[Stretch], start_s: float, end_s: float) -> list[Stretch]:
        """On from `start_s` to `end_s` too."""
        before = [each for each in stretches if each.end_s < start_s]
        touching = [each for each in stretches if each.end_s >= start_s and each.start_s <= end_s]
        after = [each for each in stretches if each.start_s > end_s]
        begin = _on(self._station, start_s, end_s)
        if touching and touching[0].start_s <= start_s:
            begin = touching[0]
        until_s = max([end_s, *(each.end_s for each in touching)])
        return [*before, Stretch(begin.start_s, begin.ready_s, until_s, begin.loads), *after]
