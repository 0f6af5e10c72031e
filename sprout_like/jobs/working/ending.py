"""What is left to do when a batch has run and when a job has ended: answers, their file, and later their texts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sprout_like.clock import Clock
from sprout_like.errors import JobError, LedgerUnreachable
from sprout_like.jobs.job import ENDED_STATES, OPEN_STATES, Claim, Job
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.showing.results import write_results
from sprout_like.jobs.working.batch import BatchDone

__all__ = ["Forgetting", "deliver", "deliver_missed", "finished"]

_LOG = logging.getLogger("sprout_like")

_BETWEEN: Final = timedelta(hours=1)
_LOOKED_AT: Final = 100
_FIRST_WAIT_S: Final = 2.0


def finished(
    queue: Queue, claim: Claim, done: BatchDone, *, clock: Clock, wait: Callable[[float], object], lease_s: float
) -> int:
    """Store what came of a batch, through an outage as long as the lease lasts; how many answers were kept.

    Raises:
        LedgerUnreachable: the database did not answer in that time.
    """
    give_up_s, wait_s = clock.monotonic_s() + lease_s, _FIRST_WAIT_S
    while True:
        try:
            kept = queue.finish(claim, done.answers, done.failures)
        except LedgerUnreachable:
            if clock.monotonic_s() + wait_s > give_up_s:
                raise
            wait(wait_s)
            wait_s *= 2
        else:
            break
    if kept < len(done.answers):
        lost = len(done.answers) - kept
        _LOG.warning("job %s: %d answers are not kept: cancelled, or claimed by others", claim.job_id[:12], lost)
    return kept


def deliver(queue: Queue, job: Job) -> bool:
    """Write the answers to the file that was asked for, if the job has ended; whether it was written.

    What keeps it from being written is a warning: the answers are in the queue.
    """
    if job.out is None or queue.job(job.job_id).state in OPEN_STATES:
        return False
    try:
        write_results(queue.attempts(job.job_id), Path(job.out))
    except (JobError, OSError) as exc:
        said = exc.strerror if isinstance(exc, OSError) else exc
        _LOG.warning(
            "job %s: its answers could not be written to %s (%s); `sprout-like jobs results` gives them",
            job.job_id[:12],
            job.out,
            said,
        )
        return False
    return True


def deliver_missed(queue: Queue, now_utc: datetime) -> None:
    """Write the answers of jobs that ended a short while ago, whose worker was killed before it could."""
    for job in queue.jobs(states=ENDED_STATES, limit=_LOOKED_AT):
        if job.out and job.finished_utc and now_utc - job.finished_utc < _BETWEEN and not Path(job.out).exists():
            deliver(queue, job)


class Forgetting:
    """Wipes the texts of jobs that ended long ago, about once an hour.

    Args:
        queue: where they are.
        keep_days: how long they stay, in days.
    """

    def __init__(self, queue: Queue, *, keep_days: float) -> None:
        self._queue = queue
        self._kept = timedelta(days=keep_days)
        self._next_utc: datetime | None = None

    def tick(self, now_utc: datetime) -> None:
        """Do it if it is time."""
        if self._next_utc is None or now_utc >= self._next_utc:
            self._next_utc = now_utc + _BETWEEN
            self._queue.forget(before_utc=now_utc - self._kept)
