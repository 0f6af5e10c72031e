"""Makes the jobs of schedules when their time has come; of several workers, one makes each."""

from __future__ import annotations

from datetime import datetime

from sprout_like.jobs.queue import Queue
from sprout_like.jobs.submitting.recurring import fired
from sprout_like.jobs.submitting.submit import new_job_id

__all__ = ["fire_due"]


def fire_due(queue: Queue, now_utc: datetime) -> int:
    """Make a job for each schedule that is due; how many were made here."""
    made = 0
    for schedule in queue.schedules():
        due = fired(schedule, new_job_id(now_utc), now_utc)
        if due is not None:
            job, next_utc = due
            made += queue.fire(schedule, job, next_utc)
    return made
