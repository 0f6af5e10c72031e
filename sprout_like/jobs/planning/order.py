"""Which job runs when a station is on: earliest deadline first, which keeps every deadline that can be kept.

For jobs that can be interrupted, earliest deadline first keeps all deadlines if any order does (Horn, Some simple
scheduling algorithms, 1974; Dertouzos, Control robotics, 1974).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["TINY_S", "Piece", "Task", "ends", "in_order", "too_late"]

TINY_S = 1e-3


@dataclass(frozen=True, slots=True)
class Task:
    """A job, or a part of one, on one station; in s from now, the work at the station's pace.

    Attributes:
        number: of its job. work_s: time it takes. release_s: when it may begin. due_s: its deadline.
    """

    number: int
    work_s: float
    release_s: float
    due_s: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of work, loading not included."""

    number: int
    start_s: float
    end_s: float


def in_order(
    tasks: Sequence[Task], windows: Sequence[tuple[float, float]], late: Collection[int] = frozenset()
) -> list[Piece]:
    """What runs when, in windows of work that are in order of time; the last one should have no end.

    The jobs in `late` cannot be in time. They come first as long as no other becomes late by it, earliest deadline
    first among themselves.
    """
    return _Run(tasks, late).through(windows)


def ends(pieces: Sequence[Piece]) -> dict[int, float]:
    """When each job is done."""
    return {piece.number: piece.end_s for piece in pieces}


def too_late(tasks: Sequence[Task], ready_s: float) -> set[int]:
    """Jobs that miss their deadline on a station that works without a break from `ready_s` on.

    A job is told late when it does not fit beside those with an earlier deadline that do.
    """
    if all(task.release_s <= ready_s for task in tasks):
        end, late = ready_s, set()
        for task in sorted(tasks, key=_by_deadline):
            if end + task.work_s > task.due_s + TINY_S:
                late.add(task.number)
            else:
                end += task.work_s
        return late
    late = set()
    while True:
        fitting = [task for task in tasks if task.number not in late]
        done = ends(in_order(fitting, [(ready_s, math.inf)]))
        missed = [task for task in fitting if done[task.number] > task.due_s + TINY_S]
        if not missed:
            return late
        late.add(min(missed, key=_by_deadline).number)


def _by_deadline(task: Task) -> tuple[float, int]:
    return task.due_s, task.number


class _Run:
    def __init__(self, tasks: Sequence[Task], late: Collection[int]) -> None:
        ordered = sorted(tasks, key=_by_deadline)
        self._tasks = ordered
        self._left = np.array([task.work_s for task in ordered])
        self._due = np.array([task.due_s for task in ordered])
        self._late = np.array([task.number in late for task in ordered], dtype=bool)
        self._coming = sorted(((task.release_s, place) for place, task in enumerate(ordered)), reverse=True)
        self._ready: tuple[list[int], list[int]] = ([], [])  # places in order of deadline: in time, late
        self._pieces: list[Piece] = []

    def through(self, windows: Sequence[tuple[float, float]]) -> list[Piece]:
        for start, end in windows:
            now = start
            while now < end - TINY_S:
                self._admit(now)
                place, most_s = self._choose(now)
                coming = self._coming[-1][0] if self._coming else math.inf
                if place is None:
                    if coming == math.inf:
                        return self._pieces
                    now = coming
                    continue
                until = min(end, now + float(self._left[place]), now + most_s, coming)
                self._work(place, now, until)
                now = until
        return self._pieces

    def _admit(self, now: float) -> None:
        while self._coming and self._coming[-1][0] <= now + TINY_S:
            _, place = self._coming.pop()
            heapq.heappush(self._ready[int(self._late[place])], place)

    def _choose(self, now: float) -> tuple[int | None, float]:
        """The place of what runs, and how long it may at most."""
        in_time, late = self._ready
        if not late:
            return (in_time[0] if in_time else None), math.inf
        slack_s = math.inf
        if not self._late.all():
            needed = np.cumsum(np.where(self._late, 0.0, self._left))
            spare = (self._due - now - needed)[~self._late & (self._left > 0)]
            slack_s = float(spare.min()) if len(spare) else math.inf
        if slack_s > 1.0:
            return late[0], slack_s
        return (in_time[0], math.inf) if in_time else (late[0], math.inf)

    def _work(self, place: int, start: float, end: float) -> None:
        number = self._tasks[place].number
        self._left[place] -= end - start
        if self._left[place] <= TINY_S / 10:
            self._left[place] = 0.0
            heapq.heappop(self._ready[int(self._late[place])])
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last.number == number and last.end_s == start:
            self._pieces[-1] = Piece(number, last.start_s, end)
        else:
            self._pieces.append(Piece(number, start, end))
