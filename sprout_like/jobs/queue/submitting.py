"""How a job comes in, how it is steered, and how its texts go out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, insert, null, select, update

from sprout_like.errors import JobError
from sprout_like.jobs.job import ENDED_STATES, OPEN_STATES, Item, Job, JobState
from sprout_like.jobs.queue.looking import job_of
from sprout_like.jobs.queue.rows import ITEMS, JOBS, job_values, prompt_values

__all__ = ["FRESH", "cancel", "forget", "insert_job", "insert_prompts", "mark_delivered", "move", "revise", "submit"]

_CHUNK: Final = 1000
"""Rows of one statement: enough that its fixed costs do not count, few enough to hold in memory twice."""

FRESH: Final = {"state": "waiting", "attempts": 0, "lost_n": 0}
"""How an item begins."""


def submit(connection: Connection, job: Job, items: Sequence[Item]) -> None:
    """Add a job with its items."""
    if job.items_n != len(items):
        raise JobError(f"jobs: the job says {job.items_n} prompts and comes with {len(items)}. Give both alike")
    rows = prompt_values(items)
    insert_job(connection, job, limit_tokens=sum(row["limit_tokens"] for row in rows))
    insert_prompts(connection, ITEMS, rows, {"job_id": job.job_id, **FRESH})


def insert_job(connection: Connection, job: Job, *, limit_tokens: int) -> None:
    """Add a job's own row."""
    if connection.scalar(select(JOBS.c.job_id).where(JOBS.c.job_id == job.job_id)) is not None:
        raise JobError(f"jobs: there is a job {job.job_id} already. Give it another id")
    _add(connection, JOBS, [job_values(job, limit_tokens=limit_tokens)])


def insert_prompts(
    connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any]
) -> None:
    """Add prompts to a table; `same` are the columns in which they do not differ."""
    for start in range(0, len(rows), _CHUNK):
        _add(connection, into, [{**same, **row} for row in rows[start : start + _CHUNK]])


def move(connection: Connection, job_id: str, verb: str, from_state: JobState, to_state: JobState) -> Job:
    """Set a job's state, where it is in the one that this needs; `verb` is for the message."""
    return _set_state(connection, job_id, verb, (from_state,), {"state": to_state})


def cancel(connection: Connection, job_id: str, now_utc: datetime) -> Job:
    """End a job; what somebody has on lease is taken back, and its answers will be refused."""
    job = _set_state(connection, job_id, "cancelled", OPEN_STATES, {"state": "cancelled", "finished_utc": now_utc})
    leased = (ITEMS.c.job_id == job_id) & (ITEMS.c.state == "leased")
    connection.execute(update(ITEMS).where(leased).values(state="waiting", token=None, until_utc=None))
    return job


def revise(connection: Connection, job_id: str, *, planned_g: float | None, at_once_g: float | None) -> None:
    """Keep what a plan expects."""
    statement = update(JOBS).where(JOBS.c.job_id == job_id).values(planned_g=planned_g, at_once_g=at_once_g)
    if connection.execute(statement).rowcount == 0:
        job_of(connection, job_id)


def mark_delivered(connection: Connection, job_id: str, at_utc: datetime) -> None:
    """Keep that the file of a job that has ended was written."""
    _set_state(connection, job_id, "delivered", ENDED_STATES, {"delivered_utc": at_utc})


def forget(connection: Connection, before_utc: datetime, now_utc: datetime) -> int:
    """Wipe the texts of jobs that ended before; how many jobs that were."""
    ended = select(JOBS.c.job_id).where(
        JOBS.c.state.not_in(OPEN_STATES), JOBS.c.finished_utc < before_utc, JOBS.c.forgotten_utc.is_(None)
    )
    jobs = [{"job": job_id} for job_id in connection.scalars(ended)]
    if jobs:
        wiped: dict[str, Any] = {"messages": null(), "template": null(), "answer": None}
        connection.execute(update(ITEMS).where(ITEMS.c.job_id == bindparam("job")).values(wiped), jobs)
        connection.execute(update(JOBS).where(JOBS.c.job_id == bindparam("job")).values(forgotten_utc=now_utc), jobs)
    return len(jobs)


def _add(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        connection.execute(insert(into), rows)
    except (TypeError, ValueError, OverflowError) as exc:
        # The drivers' own for values that they cannot bind, which SQLAlchemy passes on bare.
        raise JobError(f"jobs: the ledger cannot hold a value ({exc}). Correct it and try again") from exc


def _set_state(
    connection: Connection, job_id: str, verb: str, allowed: Sequence[JobState], values: dict[str, Any]
) -> Job:
    statement = update(JOBS).where(JOBS.c.job_id == job_id, JOBS.c.state.in_(allowed)).values(values)
    changed = connection.execute(statement).rowcount
    job = job_of(connection, job_id)
    if not changed:
        raise JobError(f"jobs: job {job_id} is {job.state}. Only one that is {' or '.join(allowed)} can be {verb}")
    return job
