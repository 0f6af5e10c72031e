"""The jobs that are open or ended last, and when they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from sprout_like.clock import Clock
from sprout_like.jobs.job import ENDED_STATES, OPEN_STATES
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.showing.saving import saved_share
from sprout_like.jobs.showing.view import View, gather
from sprout_like.ledger.settlements import Settlements

__all__ = ["JobLine", "Jobs", "Stretch", "WorkerLine", "jobs_now"]

_MOST_OPEN: Final = 20
_MOST_ENDED: Final = 5
_MOST_STRETCHES: Final = 50


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span in which a job ran or is to run; its end is excluded."""

    zone: str
    start_utc: datetime
    end_utc: datetime


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job, without any text of its prompts.

    Attributes:
        job_id: all 32 digits. state: for people, as `state_of`.
        energy_j: of its answers; None where unknown.
        planned_saving: share that its plan saves against running at once. saving: what its runs have saved so far,
            modelled. None where unknown.
        planned: spans to come. ran: spans that were, the last ones.
    """

    job_id: str
    state: str
    model: str
    task: str | None
    deadline_utc: datetime
    items_n: int
    done_n: int
    failed_n: int
    energy_j: float | None
    planned_saving: float | None
    saving: float | None
    planned: Sequence[Stretch]
    ran: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker that is alive."""

    worker_id: str
    host: str
    state: str
    zone: str
    model: str
    engine: str
    seen_utc: datetime


@dataclass(frozen=True, slots=True)
class Jobs:
    """What is to be shown of the queue.

    Attributes:
        jobs: open ones before those that ended, the newest first. more_n: open ones beyond the twenty shown.
        workers: those alive.
    """

    jobs: Sequence[JobLine]
    more_n: int
    workers: Sequence[WorkerLine]


def jobs_now(engine: Engine, *, clock: Clock, pue: float) -> Jobs:
    """Read them.

    Raises:
        LedgerUnreachable: the database does not answer.
    """
    queue, published, now_utc = Queue(engine, clock=clock), Settlements(engine).published, clock.now_utc()
    open_jobs = queue.jobs(states=OPEN_STATES)
    shown = [*open_jobs[:_MOST_OPEN], *queue.jobs(states=ENDED_STATES, limit=_MOST_ENDED)]
    views = [gather(queue, job.job_id, published, now_utc=now_utc, pue=pue, with_failures=False) for job in shown]
    workers = views[0].workers if views else ()
    return Jobs(
        jobs=[_line(view) for view in views],
        more_n=max(0, len(open_jobs) - _MOST_OPEN),
        workers=[
            WorkerLine(
                worker.worker_id, worker.host, worker.state, worker.zone, worker.model, worker.engine, worker.seen_utc
            )
            for worker in workers
        ],
    )


def _line(view: View) -> JobLine:
    job, standing, so_far = view.job, view.standing, view.so_far
    return JobLine(
        job_id=job.job_id,
        state=view.state,
        model=job.model,
        task=job.task,
        deadline_utc=job.deadline_utc,
        items_n=job.items_n,
        done_n=standing.done_n,
        failed_n=standing.failed_n,
        energy_j=standing.energy_j,
        planned_saving=saved_share(job.planned_g, job.at_once_g),
        saving=saved_share(so_far.emitted_g, so_far.at_once_g),
        planned=[Stretch(span.zone, span.start_utc, span.end_utc) for span in view.planned[:_MOST_STRETCHES]],
        ran=[Stretch(run.zone, run.started_utc, run.ended_utc) for run in view.runs[-_MOST_STRETCHES:]],
    )
