"""Recurring jobs: when the next one is due, and what it is. Who fires it, in one transaction, is `Queue.fire`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from sprout_like.jobs.job import Job, Schedule

__all__ = ["FIRING", "fired", "first_firing_utc"]

FIRING: Final = "{start}"
"""Stands in the name of the file for the answers, for the moment of the firing: `answers-{start}.jsonl`."""


def first_firing_utc(cron: str, timezone: str, now_utc: datetime) -> datetime:
    """When a schedule made now fires first.

    Raises:
        JobError: the fields or the zone are none, or no such moment ever comes.
    """
    from sprout_like.jobs.submitting.cron import next_firing  # loads apscheduler

    return next_firing(cron, timezone, now_utc)


def fired(schedule: Schedule, job_id: str, now_utc: datetime) -> tuple[Job, datetime] | None:
    """The job of a schedule that is due, and when the schedule fires next; None where it is not due yet.

    Where several moments have passed with no worker to see them, one job stands for all of them. It is that of the
    last; its time runs from then, or from now if it would be over already.

    Args:
        schedule: as the queue has it.
        job_id: for the job.
        now_utc: now.
    """
    if now_utc < schedule.next_utc:
        return None
    last_utc, next_utc = _around(schedule, now_utc)
    deadline_utc = last_utc + schedule.within
    if deadline_utc <= now_utc:
        deadline_utc = now_utc + schedule.within
    out = schedule.job.out
    job = replace(
        schedule.job,
        job_id=job_id,
        submitted_utc=now_utc,
        earliest_utc=None,
        deadline_utc=deadline_utc,
        out=None if out is None else out.replace(FIRING, f"{last_utc:%Y%m%dT%H%MZ}"),
        schedule_id=schedule.schedule_id,
        state="waiting",
        finished_utc=None,
        planned_g=None,
        at_once_g=None,
    )
    return job, next_utc


def _around(schedule: Schedule, now_utc: datetime) -> tuple[datetime, datetime]:
    """The last moment of a schedule that has passed, and its next; the bounds are halved, as there may be very many."""
    last_utc, end_utc = schedule.next_utc, now_utc
    while (next_utc := first_firing_utc(schedule.cron, schedule.timezone, last_utc)) <= now_utc:
        last_utc = next_utc
        middle_utc = last_utc + (end_utc - last_utc) / 2
        found_utc = first_firing_utc(schedule.cron, schedule.timezone, middle_utc)
        if found_utc <= now_utc:
            last_utc = found_utc
        else:
            end_utc = middle_utc
    return last_utc, next_utc
