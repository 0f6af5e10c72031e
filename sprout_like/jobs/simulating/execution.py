"""What a policy does with the jobs, moment by moment; the same rules and the same accounting for every policy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.order import TINY_S
from sprout_like.jobs.simulating.asked import Asked
from sprout_like.jobs.simulating.zone import Zone

__all__ = ["Machine", "Outcome", "Policy", "View", "Wish", "executed_alone", "executed_shared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a station draws: at work, for each start, and loaded with nothing to do."""

    power_w: float
    load_s: float
    load_j: float
    idle_w: float

    @property
    def keep_s(self) -> float:
        """A break up to this long costs less loaded than with a start."""
        return self.load_j / self.idle_w if self.idle_w > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Wish:
    """What a station is to do now. number: the job, None for nothing. until_s: when to ask again at the latest."""

    number: int | None
    until_s: float = math.inf


@dataclass(frozen=True, slots=True)
class View:
    """What a policy may know: the slot of the trace, the work left of the jobs that are there, which stations are on.

    Attributes:
        new: whether a slot has begun, or a job has come, since it was last asked.
    """

    now_s: float
    slot: int
    left_s: dict[int, float]
    loaded: tuple[bool, ...]
    new: bool


class Policy(Protocol):
    """Decides what each station does."""

    def wishes(self, view: View) -> Sequence[Wish]:
        """One for each station."""


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        g: emitted for each job, in g CO2e, start-ups and idling included.
        end_s: when each was done. starts: how often a station began to load.
    """

    g: list[float]
    end_s: list[float]
    starts: int


@dataclass(slots=True)
class _Station:
    on: bool = False
    ready_s: float = 0.0
    # None: it was never on.
    stopped_s: float | None = None
    # Each draw as (job, start, end, watts).
    draws: list[tuple[int, float, float, float]] = field(default_factory=list)

    def kept(self, now_s: float, machine: Machine) -> bool:
        """Whether it is on, or off for so short a time that it was better left loaded."""
        return self.on or (self.stopped_s is not None and now_s - self.stopped_s <= machine.keep_s + TINY_S)

    def begin(self, number: int, now_s: float, machine: Machine) -> bool:
        """Turn it on for that job; whether it has to load."""
        kept, self.on = self.kept(now_s, machine), True
        if kept and self.stopped_s is not None:
            # A start that was broken off goes on: it is paid for, and is ready no sooner.
            self.ready_s = max(now_s, self.stopped_s)
            if now_s > self.stopped_s:
                self.draws.append((number, self.stopped_s, now_s, machine.idle_w))
            return False
        self.ready_s = now_s + machine.load_s
        if machine.load_s:
            self.draws.append((number, now_s, self.ready_s, machine.load_j / machine.load_s))
        return True

    def stop(self, now_s: float) -> None:
        """Turn it off, if it is on."""
        if self.on:
            self.on, self.stopped_s = False, max(now_s, self.ready_s)


def executed_alone(
    policy: Callable[[Sequence[Asked]], Policy], jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine
) -> Outcome:
    """Run each job as if it were the only one, on a worker of its own in each zone."""
    each = [_executed(policy([job]), [job], zones, machine) for job in jobs]
    return Outcome([one.g[0] for one in each], [one.end_s[0] for one in each], sum(one.starts for one in each))


def executed_shared(
    policy: Callable[[Sequence[Asked]], Policy], jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine
) -> Outcome:
    """Run all jobs, in order of arrival, on one station a zone."""
    return _executed(policy(jobs), jobs, zones, machine)


def _executed(policy: Policy, jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine) -> Outcome:
    stations = [_Station() for _ in zones]
    left = [job.work_s for job in jobs]
    end_s = [math.nan] * len(jobs)
    edges = zones[0].edge_s
    open_jobs: dict[int, float] = {}
    now_s, slot, starts, coming = 0.0, -1, 0, 0
    while coming < len(jobs) or open_jobs:
        if not open_jobs:
            for station in stations:
                station.stop(now_s)
            now_s = max(now_s, jobs[coming].arrival_s)
        here = min(int(np.searchsorted(edges, now_s + TINY_S)) - 1, len(edges) - 2)
        new, slot = here != slot, here
        while coming < len(jobs) and jobs[coming].arrival_s <= now_s + TINY_S:
            open_jobs[coming] = left[coming]
            coming, new = coming + 1, True
        kept = tuple(each.kept(now_s, machine) for each in stations)
        wishes = policy.wishes(View(now_s, slot, open_jobs, kept, new))
        until_s = min(float(edges[slot + 1]) if slot + 2 < len(edges) else math.inf, *(w.until_s for w in wishes))
        if coming < len(jobs):
            until_s = min(until_s, jobs[coming].arrival_s)
        for station, wish in zip(stations, wishes, strict=True):
            if wish.number is None:
                station.stop(now_s)
                continue
            if not station.on:
                starts += station.begin(wish.number, now_s, machine)
            until_s = min(until_s, max(now_s, station.ready_s) + open_jobs[wish.number])
        until_s = max(until_s, now_s + TINY_S)
        for station, wish in zip(stations, wishes, strict=True):
            begin_s = max(now_s, station.ready_s)
            if wish.number is not None and until_s > begin_s:
                station.draws.append((wish.number, begin_s, until_s, machine.power_w))
                open_jobs[wish.number] -= until_s - begin_s
        now_s = until_s
        for number in [number for number, rest in open_jobs.items() if rest <= 2 * TINY_S]:
            del open_jobs[number]
            end_s[number] = now_s
    return Outcome(_grams(stations, zones, len(jobs)), end_s, starts)


def _grams(stations: Sequence[_Station], zones: Sequence[Zone], count: int) -> list[float]:
    total = np.zeros(count)
    for station, zone in zip(stations, zones, strict=True):
        if station.draws:
            number, start, end, watts = (np.array(column) for column in zip(*station.draws, strict=True))
            np.add.at(total, number, watts / JOULES_PER_KWH * zone.integral(start, end))
    grams: list[float] = total.tolist()
    return grams
