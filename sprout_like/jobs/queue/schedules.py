"""Recurring jobs: their prompts are kept once, and copied by the database at each of their moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from sprout_like.errors import JobError
from sprout_like.jobs.job import Item, Job, Schedule
from sprout_like.jobs.queue.rows import (
    ITEMS,
    PROMPT_COLUMNS,
    SCHEDULE_ITEMS,
    SCHEDULES,
    as_schedule,
    prompt_values,
    schedule_values,
)
from sprout_like.jobs.queue.submitting import FRESH, insert_job, insert_prompts

__all__ = ["add_schedule", "end_schedule", "fire", "schedules"]


def add_schedule(connection: Connection, schedule: Schedule, items: Sequence[Item]) -> None:
    """Add a schedule with the items of its jobs."""
    rows = prompt_values(items)
    connection.execute(insert(SCHEDULES), schedule_values(schedule))
    insert_prompts(connection, SCHEDULE_ITEMS, rows, {"schedule_id": schedule.schedule_id})


def schedules(connection: Connection, *, active: bool) -> list[Schedule]:
    """Schedules by their next moment; with `active`, without those that were ended."""
    query = select(SCHEDULES).order_by(SCHEDULES.c.next_utc, SCHEDULES.c.schedule_id)
    if active:
        query = query.where(SCHEDULES.c.active)
    return [as_schedule(row) for row in connection.execute(query)]


def fire(connection: Connection, schedule: Schedule, job: Job, next_utc: datetime) -> bool:
    """Make the job of the schedule's moment and move on to the next, where nobody did so before."""
    due = (SCHEDULES.c.schedule_id == schedule.schedule_id) & (SCHEDULES.c.next_utc == schedule.next_utc)
    moved = update(SCHEDULES).where(due, SCHEDULES.c.active).values(next_utc=next_utc)
    if connection.execute(moved).rowcount == 0:
        return False
    own = SCHEDULE_ITEMS.c.schedule_id == schedule.schedule_id
    sums = select(func.count(), func.sum(SCHEDULE_ITEMS.c.limit_tokens)).where(own)
    items_n, limit_tokens = connection.execute(sums).one()
    job = replace(job, items_n=items_n, schedule_id=schedule.schedule_id)
    insert_job(connection, job, limit_tokens=int(limit_tokens))
    same: dict[str, Any] = {"job_id": job.job_id, **FRESH}
    copied = select(*map(literal, same.values()), *(SCHEDULE_ITEMS.c[name] for name in PROMPT_COLUMNS)).where(own)
    connection.execute(insert(ITEMS).from_select([*same, *PROMPT_COLUMNS], copied))
    return True


def end_schedule(connection: Connection, schedule_id: str) -> None:
    """Make no more jobs, and wipe the prompts; jobs it made go on."""
    ended = update(SCHEDULES).where(SCHEDULES.c.schedule_id == schedule_id, SCHEDULES.c.active).values(active=False)
    if connection.execute(ended).rowcount == 0:
        raise JobError(f"jobs: there is no active schedule {schedule_id}. `sprout-like jobs list` shows them")
    connection.execute(delete(SCHEDULE_ITEMS).where(SCHEDULE_ITEMS.c.schedule_id == schedule_id))
