"""Plans the whole queue, wherever it runs: one process at a time, when something has changed."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sprout_like.clock import Clock
from sprout_like.jobs.job import RUNNABLE, Job, Planned, Standing, WorkerRecord
from sprout_like.jobs.planning import Agenda, Due, Station, plan_jobs
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.working.pace import work_tokens
from sprout_like.jobs.working.presence import ALIVE

__all__ = ["ALIVE", "Planner", "due_of", "stations_of"]

_LOG = logging.getLogger("sprout_like")

_BETWEEN_LOOKS: Final = timedelta(seconds=3)

_LONGEST: Final = timedelta(minutes=15)
"""A plan is made anew after so long in any case: time itself changes what is best."""

_IDLE_SHARE: Final = 0.25
"""Draw of a loaded model that waits, as a share of that at work, until it is measured: of data centre GPUs about so."""

_RETRY: Final = timedelta(seconds=30)
_RESERVE_SHARE: Final = 0.1
"""Never more than this share of the time left is kept for a second try."""

_MUCH: Final = 1.15
"""Ratio from which on another pace, or another rest of work than planned, is a reason to plan anew."""


class Planner:
    """Makes plans, and remembers what the last one was made of.

    Args:
        queue: where jobs and workers are, and where the plan goes.
        clock: time.
        margin: time kept free before each deadline, as a share of the time that is still needed.
        lease_s: how long the items of a worker that died stay with it, in s.
        seed: of the jitter among slots that are nearly equal.
    """

    def __init__(self, queue: Queue, clock: Clock, *, margin: float, lease_s: float = 120.0, seed: int = 0) -> None:
        self._queue = queue
        self._clock = clock
        self._margin = margin
        self._seed = seed
        self._reserve = timedelta(seconds=lease_s) + _RETRY
        self._looked_utc: datetime | None = None
        self._made_utc: datetime | None = None
        self._made_of: tuple[object, ...] = ()
        self._expected_tokens: dict[str, float] = {}
        self._late: dict[str, str] = {}

    def tick(self) -> bool:
        """Plan if it is time and nobody else is at it; whether a plan was made."""
        now_utc = self._clock.now_utc()
        if self._looked_utc is not None and now_utc - self._looked_utc < _BETWEEN_LOOKS:
            return False
        self._looked_utc = now_utc
        jobs = self._queue.jobs(states=RUNNABLE)
        workers = self._queue.workers(seen_after_utc=now_utc - ALIVE)
        standings = self._queue.standings([job.job_id for job in jobs])
        if not self._is_due(jobs, workers, standings, now_utc):
            return False
        with self._queue.planning() as mine:
            if not mine:
                return False
            due = [item for job in jobs if (item := self._due(job, standings.get(job.job_id), now_utc)) is not None]
            agenda = plan_jobs(due, stations_of(workers), now_utc, margin=self._margin, seed=self._seed)
            self._store(agenda, jobs)
        self._made_utc, self._made_of = now_utc, _made_of(jobs, workers)
        self._expected_tokens = {item.job_id: item.work_tokens for item in due}
        self._say_late(agenda, {job.job_id for job in jobs if any(worker.model == job.model for worker in workers)})
        return True

    def _is_due(
        self,
        jobs: Sequence[Job],
        workers: Sequence[WorkerRecord],
        standings: Mapping[str, Standing],
        now_utc: datetime,
    ) -> bool:
        if self._made_utc is None or now_utc - self._made_utc >= _LONGEST:
            return True
        if _made_of(jobs, workers) != self._made_of:
            return True
        for job_id, expected in self._expected_tokens.items():
            standing = standings.get(job_id)
            if standing is not None and work_tokens(standing) > _MUCH * expected:
                return True
        return False

    def _due(self, job: Job, standing: Standing | None, now_utc: datetime) -> Due | None:
        """With time kept for one item that fails, or is lost with its worker, and is tried again."""
        due = due_of(job, standing)
        if due is None:
            return None
        left = max(job.deadline_utc - now_utc, timedelta(0))
        return replace(due, deadline_utc=job.deadline_utc - min(self._reserve, _RESERVE_SHARE * left))

    def _store(self, agenda: Agenda, jobs: Sequence[Job]) -> None:
        self._queue.plan(
            [
                Planned(
                    job_id=span.job_id,
                    worker_id=span.worker_id,
                    zone=span.zone,
                    start_utc=span.start_utc,
                    end_utc=span.end_utc,
                )
                for span in agenda.spans
            ]
        )
        for job in jobs:
            expected = agenda.expected.get(job.job_id)
            # What was expected before the first run is what the saving is held against later.
            if expected is not None and job.planned_g is None and expected.planned_g is not None:
                self._queue.revise(job.job_id, planned_g=expected.planned_g, at_once_g=expected.at_once_g)

    def _say_late(self, agenda: Agenda, served: Collection[str]) -> None:
        """Once for each reason; a worker that has not measured its pace yet is no reason."""
        late = {
            each.job_id: each.reason for each in agenda.late if each.short_s < math.inf or each.job_id not in served
        }
        for job_id, reason in late.items():
            if self._late.get(job_id) != reason:
                _LOG.warning("job %s: %s; it runs as soon as it can", job_id[:12], reason)
        self._late = late


def due_of(job: Job, standing: Standing | None) -> Due | None:
    """What the planner is to know of a job; None where nothing is left of it."""
    if standing is None or not standing.left_tokens:
        return None
    return Due(
        job_id=job.job_id,
        model=job.model,
        work_tokens=max(1.0, work_tokens(standing)),
        deadline_utc=job.deadline_utc,
        earliest_utc=job.earliest_utc,
        engine=job.engine,
        zones=frozenset(job.zones),
    )


def stations_of(workers: Sequence[WorkerRecord]) -> list[Station]:
    """Workers that know their pace, as the planner sees them; one whose draw is unknown is taken for the mean."""
    draws = [worker.power_w for worker in workers if worker.power_w]
    typical_w = sum(draws) / len(draws) if draws else 1.0
    return [
        Station(
            worker_id=worker.worker_id,
            zone=worker.zone,
            model=worker.model,
            engine=worker.engine,
            pace_tokens_per_s=worker.pace_tokens_per_s,
            power_w=worker.power_w or typical_w,
            load_s=worker.load_s or 0.0,
            load_j=worker.load_j or 0.0,
            idle_w=(worker.power_w or typical_w) * _IDLE_SHARE if worker.idle_w is None else worker.idle_w,
            loaded=worker.state in ("loaded", "running"),
            outlook=worker.outlook,
        )
        for worker in workers
        if worker.pace_tokens_per_s and worker.state != "stopped"
    ]


def _made_of(jobs: Sequence[Job], workers: Sequence[WorkerRecord]) -> tuple[object, ...]:
    """What a plan depends on beside the time and the work that gets done as planned."""
    return (
        frozenset((job.job_id, job.deadline_utc, job.earliest_utc) for job in jobs),
        frozenset(
            (worker.worker_id, worker.state == "stopped", worker.outlook, _class(worker.pace_tokens_per_s))
            for worker in workers
        ),
    )


def _class(pace: float | None) -> int | None:
    """Paces within about 15 % of each other are mostly one."""
    return None if not pace else round(math.log(pace) / math.log(_MUCH))
