"""What people, the planner and workers see of jobs and of their items."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import Connection, func, select

from sprout_like.errors import JobError
from sprout_like.jobs.job import ENDED_STATES, Attempt, Job, JobState, Standing
from sprout_like.jobs.queue.database import Database
from sprout_like.jobs.queue.rows import ITEMS, JOBS, PROMPT_COLUMNS, as_attempt, as_job, as_standing

__all__ = ["attempts_of", "find_job", "job_of", "jobs_in", "standings_of", "undelivered"]

_PREFIX: Final = re.compile(r"[0-9a-f]{4,32}")
_PAGE: Final = 1000
_UNSEEN: Final = {*PROMPT_COLUMNS} - {"place", "own_id"}
_SHOWN: Final = [column for column in ITEMS.columns if column.name not in _UNSEEN]


def job_of(connection: Connection, job_id: str) -> Job:
    """The job of that very id."""
    row = connection.execute(select(JOBS).where(JOBS.c.job_id == job_id)).one_or_none()
    if row is None:
        raise JobError(f"jobs: there is no job {job_id}. `sprout-like jobs list` shows those that are there")
    return as_job(row)


def find_job(connection: Connection, prefix: str) -> Job:
    """The one job whose id begins so."""
    if not _PREFIX.fullmatch(prefix):
        raise JobError(f"jobs: {prefix!r} is no job. Give its id, or the first 4 hex digits of it or more")
    rows = connection.execute(select(JOBS).where(JOBS.c.job_id.startswith(prefix)).limit(2)).all()
    if not rows:
        raise JobError(f"jobs: there is no job {prefix}. `sprout-like jobs list` shows those that are there")
    if len(rows) > 1:
        raise JobError(f"jobs: several jobs begin with {prefix}. Give more digits")
    return as_job(rows[0])


def jobs_in(connection: Connection, states: Collection[JobState] | None, limit: int | None) -> list[Job]:
    """Jobs in any of these states, newest first."""
    query = select(JOBS).order_by(JOBS.c.submitted_utc.desc(), JOBS.c.job_id.desc()).limit(limit)
    if states is not None:
        query = query.where(JOBS.c.state.in_(states))
    return [as_job(row) for row in connection.execute(query)]


def undelivered(connection: Connection, limit: int) -> list[Job]:
    """Jobs whose file is still to be written, those that ended last first."""
    # Newest first, as a file that can never be written must not keep others from being looked at.
    query = (
        select(JOBS)
        .where(
            JOBS.c.state.in_(ENDED_STATES),
            JOBS.c.out.is_not(None),
            JOBS.c.delivered_utc.is_(None),
            JOBS.c.forgotten_utc.is_(None),
        )
        .order_by(JOBS.c.finished_utc.desc(), JOBS.c.job_id.desc())
        .limit(limit)
    )
    return [as_job(row) for row in connection.execute(query)]


def standings_of(connection: Connection, job_ids: Collection[str]) -> dict[str, Standing]:
    """How far these jobs are; those that are not there are left out."""
    leased = (
        select(func.count())
        .select_from(ITEMS)
        .where(ITEMS.c.job_id == JOBS.c.job_id, ITEMS.c.state == "leased")
        .scalar_subquery()
    )
    query = select(JOBS, leased.label("leased_n")).where(JOBS.c.job_id.in_(job_ids))
    return {row.job_id: as_standing(row, row.leased_n) for row in connection.execute(query)}


def attempts_of(database: Database, job_id: str) -> Iterator[Attempt]:
    """A job's items in order of place, page by page; nothing is open between two pages."""
    query = select(*_SHOWN).where(ITEMS.c.job_id == job_id).order_by(ITEMS.c.place).limit(_PAGE)
    last = -1
    while True:
        with database.reading() as connection:
            rows = connection.execute(query.where(ITEMS.c.place > last)).all()
        yield from map(as_attempt, rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].place
