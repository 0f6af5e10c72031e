"""From what is due and who could do it to an agenda."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sprout_like.jobs.planning.assigning import Load, assigned
from sprout_like.jobs.planning.data import Agenda, Due, Expected, Late, Span, Station
from sprout_like.jobs.planning.order import TINY_S, Task
from sprout_like.jobs.planning.outlook import Outlook
from sprout_like.jobs.planning.timetable import Conditions, Timetable, at_once, timetable

__all__ = ["fits", "plan_jobs"]

_LEAST_SLOT_S = 300.0
_FINE_S = 36 * 3600.0


def plan_jobs(
    due: Sequence[Due],
    stations: Sequence[Station],
    now_utc: datetime,
    *,
    margin: float = 0.1,
    seed: int | None = 0,
    slot_s: float = _LEAST_SLOT_S,
    fine_s: float = _FINE_S,
) -> Agenda:
    """When and where jobs run so that they emit least and are done in time.

    A station runs one job at a time, earliest deadline first, and may stop and go on in any slot. When it is on is
    optimal for its jobs (to the length of a slot) where they may all begin now; which station runs which job is a
    heuristic. Jobs that cannot be in time run as soon as possible without making others late.

    Args:
        due: what is left of each job; the ids differ.
        stations: those that can run now or soon; the ids differ.
        now_utc: the moment from which on is planned.
        margin: time kept free before each deadline, where that is possible, as a share of the work due by then: a pace
            that is lower by as much still keeps it.
        seed: with the worker's id, where near-equal choices are drawn from: at most 1 % dearer, and a fleet does not
            start in the same second. None for no such draws.
        slot_s: length of the slots in which it is told when a station is on; a part of one may be used.
        fine_s: from that time ahead on, it is four times as long, and twelve times after four days.
    """
    planner = _Planner(due, stations, now_utc, margin=margin)
    conditions = Conditions(now_s=now_utc.timestamp(), margin=margin, seed=seed, slot_s=slot_s, fine_s=fine_s)
    tables = [
        timetable(station, outlook, tasks, conditions)
        for station, outlook, tasks in zip(stations, planner.outlooks, planner.tasks, strict=True)
    ]
    return Agenda(
        spans=_spans(due, stations, tables, now_utc), late=planner.late(tables), expected=planner.expected(tables)
    )


def fits(
    due: Due, stations: Sequence[Station], now_utc: datetime, others: Sequence[Due] = (), *, margin: float
) -> Late | None:
    """Whether a job can be in time beside others, margin included; None where it can.

    A job that would be in time itself and makes another late that is not so without it does not fit either.
    """
    without = _Planner(others, stations, now_utc, margin=margin)
    late_before = {each.job_id for each in without.late(without.at_once())}
    planner = _Planner([*others, due], stations, now_utc, margin=margin)
    tables = planner.at_once()
    late = {each.job_id: each for each in planner.late(tables)}
    if due.job_id in late:
        return late[due.job_id]
    pushed = [each for job_id, each in late.items() if job_id not in late_before]
    if pushed:
        worst = max(pushed, key=lambda each: each.short_s)
        return Late(job_id=due.job_id, short_s=worst.short_s, reason=f"it would make job {worst.job_id} late")
    number = len(others)
    work_s = sum(task.work_s for tasks in planner.tasks for task in tasks if task.number == number)
    end_s = max(table.ends_s.get(number, 0.0) for table in tables)
    if end_s > planner.loads[number].due_s - margin * work_s + TINY_S:
        return Late(
            job_id=due.job_id, short_s=0.0, reason=f"it would be in time, but without the margin of {margin:.0%}"
        )
    return None


class _Planner:
    """Jobs, stations and who runs what; times in s from now."""

    def __init__(self, due: Sequence[Due], stations: Sequence[Station], now_utc: datetime, *, margin: float) -> None:
        self._due, self._stations = due, stations
        self.outlooks = [Outlook.of(station.outlook, now_utc) for station in stations]
        self.loads = [_load(number, each, stations, now_utc) for number, each in enumerate(due)]
        taken = [load for load in self.loads if load.stations]
        self.tasks: list[list[Task]] = assigned(taken, stations, self.outlooks, margin)

    def at_once(self) -> list[Timetable]:
        """All stations working from now on."""
        return [at_once(*each) for each in zip(self._stations, self.outlooks, self.tasks, strict=True)]

    def late(self, tables: Sequence[Timetable]) -> tuple[Late, ...]:
        """The jobs that are late, in order."""
        found = []
        for number, (each, load) in enumerate(zip(self._due, self.loads, strict=True)):
            if not load.stations:
                found.append(Late(job_id=each.job_id, short_s=math.inf, reason=_nobody(each, self._stations)))
                continue
            end_s = max(table.ends_s.get(number, -math.inf) for table in tables)
            if end_s > load.due_s + TINY_S:
                found.append(Late(job_id=each.job_id, short_s=end_s - load.due_s, reason="too little time"))
        return tuple(found)

    def expected(self, tables: Sequence[Timetable]) -> dict[str, Expected]:
        """What each job is expected to emit."""
        firsts = self.at_once()
        return {
            each.job_id: Expected(planned_g=_sum_g(number, tables), at_once_g=_sum_g(number, firsts))
            for number, each in enumerate(self._due)
        }


def _load(number: int, due: Due, stations: Sequence[Station], now_utc: datetime) -> Load:
    release_s = 0.0 if due.earliest_utc is None else max(0.0, (due.earliest_utc - now_utc).total_seconds())
    return Load(
        number,
        due.work_tokens,
        release_s,
        (due.deadline_utc - now_utc).total_seconds(),
        tuple(place for place, station in enumerate(stations) if station.takes(due)),
    )


def _nobody(due: Due, stations: Sequence[Station]) -> str:
    if not stations:
        return "no worker"
    apt = [station for station in stations if station.model == due.model]
    if not apt:
        return f"no worker with model {due.model}"
    if not any(due.engine in (None, station.engine) for station in apt):
        return f"no worker with engine {due.engine}"
    return f"no worker in zones {', '.join(sorted(due.zones))}"


def _sum_g(number: int, tables: Sequence[Timetable]) -> float | None:
    parts = [table.emitted.by_job[number] for table in tables if number in table.emitted.by_job]
    known = [part for part in parts if part is not None]
    return sum(known) if parts and len(known) == len(parts) else None


def _spans(
    due: Sequence[Due], stations: Sequence[Station], tables: Sequence[Timetable], now_utc: datetime
) -> tuple[Span, ...]:
    spans = [
        Span(
            job_id=due[leg.number].job_id,
            worker_id=station.worker_id,
            zone=station.zone,
            start_utc=now_utc + timedelta(seconds=leg.start_s),
            end_utc=now_utc + timedelta(seconds=leg.end_s),
            tokens=leg.work_s * station.pace_tokens_per_s,
            loads=leg.loads,
        )
        for station, table in zip(stations, tables, strict=True)
        for leg in table.legs
    ]
    return tuple(sorted(spans, key=lambda span: (span.start_utc, span.worker_id)))
