"""A job with all that is known of it, gathered once for a screen or for JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from grid import Intensity
from sprout_like.jobs.job import OPEN_STATES, Attempt, Job, Planned, Run, Standing, WorkerRecord
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.showing.saving import SoFar, at_once_span, saved_share, so_far
from sprout_like.jobs.working.planner import ALIVE

__all__ = ["Readings", "View", "as_data", "failures", "gather", "state_of"]

Readings = Callable[[Sequence[str], datetime, datetime], Sequence[Intensity]]
"""Published intensities of zones that touch a span."""

_MOST_FAILURES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A job as it stands.

    Attributes:
        now_utc: when it stood so.
        planned: spans to come, in order. runs: spans that were, in order.
        workers: those alive.
        so_far: what its runs emitted, against running at once.
        failed: items that were set aside, the first of them; empty where nobody looked.
        past: published intensities of the zones in which it ran or will, since its submission.
    """

    job: Job
    standing: Standing
    now_utc: datetime
    planned: tuple[Planned, ...]
    runs: tuple[Run, ...]
    workers: tuple[WorkerRecord, ...]
    so_far: SoFar
    failed: tuple[Attempt, ...]
    past: tuple[Intensity, ...]

    @property
    def state(self) -> str:
        """As `state_of`."""
        return state_of(self.job, self.standing, self.now_utc)

    @property
    def able(self) -> tuple[WorkerRecord, ...]:
        """Workers alive that may run it."""
        job = self.job
        return tuple(
            worker
            for worker in self.workers
            if worker.model == job.model
            and job.engine in (None, worker.engine)
            and (not job.zones or worker.zone in job.zones)
        )


def state_of(job: Job, standing: Standing, now_utc: datetime) -> str:
    """For people: the job's state, `running` while items of it are with a worker, `late` once its deadline passed."""
    if job.state not in OPEN_STATES:
        return job.state
    if job.deadline_utc <= now_utc:
        return "late"
    return "running" if job.state == "waiting" and standing.leased_n else job.state


def gather(
    queue: Queue, job_id: str, readings: Readings, *, now_utc: datetime, pue: float, with_failures: bool = True
) -> View:
    """Ask for it.

    Args:
        queue: where it is.
        job_id: or how it begins.
        readings: gives what was published.
        now_utc: now.
        pue: of the site.
        with_failures: look for items that were set aside, which reads all items of the job.

    Raises:
        JobError: there is no such job, or several.
    """
    job = queue.job(job_id)
    standing = queue.standing(job.job_id)
    runs = sorted(queue.runs(job.job_id), key=lambda run: run.started_utc)
    planned = sorted(queue.planned(job_id=job.job_id), key=lambda span: span.start_utc)
    start_utc, at_once_end_utc = at_once_span(job, runs)
    zones = sorted({run.zone for run in runs} | {span.zone for span in planned})
    past = readings(zones, start_utc, max(now_utc, at_once_end_utc)) if zones else ()
    return View(
        job=job,
        standing=standing,
        now_utc=now_utc,
        planned=tuple(planned),
        runs=tuple(runs),
        workers=tuple(worker for worker in queue.workers(seen_after_utc=now_utc - ALIVE) if worker.state != "stopped"),
        so_far=so_far(job, runs, past, pue=pue),
        failed=failures(queue, job.job_id) if with_failures and standing.failed_n else (),
        past=tuple(past),
    )


def failures(queue: Queue, job_id: str, *, most: int = _MOST_FAILURES) -> tuple[Attempt, ...]:
    """The first items that were set aside, by place."""
    found: list[Attempt] = []
    for attempt in queue.attempts(job_id):
        if attempt.state == "failed":
            found.append(attempt)
        if len(found) == most:
            break
    return tuple(found)


def as_data(view: View) -> dict[str, Any]:
    """The same for machines; no text of a prompt or an answer."""
    return {
        "job": asdict(view.job),
        "state": view.state,
        "standing": asdict(view.standing),
        "planned": [asdict(span) for span in view.planned],
        "runs": [asdict(run) for run in view.runs],
        "saving": {
            "planned_share": saved_share(view.job.planned_g, view.job.at_once_g),
            "so_far": {**asdict(view.so_far), "share": saved_share(view.so_far.emitted_g, view.so_far.at_once_g)},
        },
        "failed": [
            {"place": each.place, "id": each.own_id, "attempts": each.attempts, "error": each.error}
            for each in view.failed
        ],
    }
