"""What is left to do when a batch has run and when a job has ended: answers, their file, and later their texts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sprout_like.clock import Clock
from sprout_like.errors import JobError, LedgerUnreachable
from sprout_like.jobs.job import Claim, Job
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.showing.results import write_results
from sprout_like.jobs.working.batch import BatchDone

__all__ = ["Delivery", "Forgetting", "finished"]

_LOG = logging.getLogger("sprout_like")

_BETWEEN: Final = timedelta(hours=1)
_BETWEEN_LOOKS: Final = timedelta(minutes=1)
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


class Delivery:
    """Writes the answers of jobs that have ended to the files that were asked for, each once.

    Also those of jobs whose worker was killed before it could. A file whose folder is not on this machine is left to
    a worker that has it. What keeps one from being written is a warning, once: the answers are in the queue.

    Args:
        queue: where the jobs are.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._next_utc: datetime | None = None
        self._refused: set[str] = set()

    def tick(self, now_utc: datetime, *, due: bool = False) -> None:
        """Write what is due, at most about once a minute unless a job may have ended just now."""
        if not due and self._next_utc is not None and now_utc < self._next_utc:
            return
        self._next_utc = now_utc + _BETWEEN_LOOKS
        for job in self._queue.undelivered(_LOOKED_AT):
            if job.out is not None and job.job_id not in self._refused and Path(job.out).parent.is_dir():
                self._deliver(job, Path(job.out), now_utc)

    def _deliver(self, job: Job, out: Path, now_utc: datetime) -> None:
        try:
            write_results(self._queue.attempts(job.job_id), out)
        except (JobError, OSError) as exc:
            self._refused.add(job.job_id)
            said = exc.strerror if isinstance(exc, OSError) else exc
            _LOG.warning(
                "job %s: its answers could not be written to %s (%s); `sprout-like jobs results` gives them",
                job.job_id[:12],
                out,
                said,
            )
        else:
            self._queue.mark_delivered(job.job_id, now_utc)


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
