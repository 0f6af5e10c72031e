"""The policies that are compared; times in s from the start of the simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from sprout_like.jobs.planning import Due, Span, Station, plan_jobs
from sprout_like.jobs.planning.order import TINY_S
from sprout_like.jobs.simulating.asked import Asked
from sprout_like.jobs.simulating.execution import Machine, View, Wish
from sprout_like.jobs.simulating.zone import Zone

__all__ = ["AtLast", "AtOnce", "Low", "Planned"]

# It is planned again with the next slot.
_FINE_SLOTS = 2
_TRAILING_S = 7 * 86400.0


class AtOnce:
    """Work whenever there is anything to do, the earliest deadline first; on the first station."""

    def __init__(self, jobs: Sequence[Asked]) -> None:
        self._jobs = jobs

    def wishes(self, view: View) -> Sequence[Wish]:
        """The job that is due first."""
        first = min(view.left_s, key=lambda number: (self._jobs[number].due_s, number))
        return [Wish(first)]


class AtLast:
    """Wait until a deadline leaves no more time, then work until those jobs are done; earlier only when `willing`."""

    def __init__(
        self, jobs: Sequence[Asked], machine: Machine, margin: float, willing: Callable[[View], bool] | None = None
    ) -> None:
        self._jobs, self._machine, self._margin, self._willing = jobs, machine, margin, willing
        self._urgent: frozenset[int] = frozenset()

    def wishes(self, view: View) -> Sequence[Wish]:
        """Nothing, until something is urgent."""
        order = sorted(view.left_s, key=lambda number: (self._jobs[number].due_s, number))
        if self._urgent & view.left_s.keys():
            return [Wish(order[0])]
        needed_s, slack_s, critical = 0.0, math.inf, 0
        for place, number in enumerate(order):
            needed_s += view.left_s[number]
            spare_s = self._jobs[number].due_s - view.now_s - self._machine.load_s - (1 + self._margin) * needed_s
            if spare_s < slack_s:
                slack_s, critical = spare_s, place
        if slack_s > TINY_S:
            works = self._willing is not None and self._willing(view)
            return [Wish(order[0] if works else None, view.now_s + slack_s)]
        self._urgent = frozenset(order[: critical + 1])
        return [Wish(order[0])]


class Low:
    """Whether the intensity is in the lowest share of the last seven days: when "wait awhile" works (Wiesner, 2021)."""

    def __init__(self, zone: Zone, percentile: float) -> None:
        self._zone, self._percentile = zone, percentile

    def __call__(self, view: View) -> bool:
        """As it is now."""
        trailing = self._zone.trailing(view.slot, round(_TRAILING_S / float(self._zone.edge_s[1])))
        return bool(trailing[-1] <= np.percentile(trailing, self._percentile))


class Planned:
    """As the worker does: plan again with every slot of the trace and every job, and follow the plan until then."""

    def __init__(
        self, jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine, margin: float, start_utc: datetime
    ) -> None:
        self._jobs, self._zones, self._machine = jobs, zones, machine
        self._margin, self._start_utc = margin, start_utc
        self._spans: list[list[tuple[float, float, int]]] = []

    def wishes(self, view: View) -> Sequence[Wish]:
        """What the plan says for now; where it is through and work is left, such as after a late start, a new one."""
        if view.new or all(wish.until_s == math.inf for wish in self._wishes(view)):
            self._plan(view)
        return self._wishes(view)

    def _wishes(self, view: View) -> list[Wish]:
        return [self._wish(spans, view) for spans in self._spans]

    def _wish(self, spans: Sequence[tuple[float, float, int]], view: View) -> Wish:
        for start_s, end_s, number in spans:
            if end_s <= view.now_s + TINY_S or number not in view.left_s:
                continue
            if start_s <= view.now_s + TINY_S:
                return Wish(number, end_s)
            return Wish(None, start_s)
        return Wish(None)

    def _plan(self, view: View) -> None:
        now_utc = self._start_utc + timedelta(seconds=view.now_s)
        due = [
            Due(
                job_id=str(number),
                model="",
                work_tokens=left_s,
                deadline_utc=self._start_utc + timedelta(seconds=self._jobs[number].due_s),
            )
            for number, left_s in view.left_s.items()
        ]
        stations = [
            Station(
                worker_id=zone.name,
                zone=zone.name,
                model="",
                engine="",
                pace_tokens_per_s=1.0,
                power_w=self._machine.power_w,
                load_s=self._machine.load_s,
                load_j=self._machine.load_j,
                idle_w=self._machine.idle_w,
                loaded=loaded,
                outlook=zone.outlook(view.slot),
            )
            for zone, loaded in zip(self._zones, view.loaded, strict=True)
        ]
        slot_s = float(self._zones[0].edge_s[1])
        agenda = plan_jobs(
            due, stations, now_utc, margin=self._margin, seed=None, slot_s=slot_s / 2, fine_s=_FINE_SLOTS * slot_s
        )
        self._spans = [[self._known(span) for span in agenda.spans if span.zone == zone.name] for zone in self._zones]

    def _known(self, span: Span) -> tuple[float, float, int]:
        start_s, end_s = ((each - self._start_utc).total_seconds() for each in (span.start_utc, span.end_utc))
        return start_s, end_s, int(span.job_id)
