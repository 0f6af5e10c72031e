"""Who has which items, and what becomes of those whose worker does not come back.

A lease is judged by the clock of whoever claims next. The clocks of all hosts are assumed to agree within half a lease,
as NTP keeps them within milliseconds. Where they do not, items are taken from a worker that is well: they are run twice
and paid for twice, but stored once all the same, as an answer is kept under the newest token alone.

A worker that dies may have been killed by one of its items, and nobody knows which. So a lease that ran out counts as
a failure of an item only where it was alone under it; where it was in company, the next claim of these items is half
as large. A poison item is alone after log2(batch) crashes, and those beside it are answered on the way.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, exists, or_, select, update

from sprout_like.jobs.job import OPEN_STATES, Claim, Failure
from sprout_like.jobs.queue.finishing import HELD, give_back, settle
from sprout_like.jobs.queue.rows import ITEMS, JOBS, PROMPT_COLUMNS, as_item

__all__ = ["claim", "release", "renew"]

_LOST: Final = "LeaseLost: the worker that ran it alone did not come back"

# Built once: building them takes longer than running them. Names differ from the columns', as SQLAlchemy asks.
_OF_JOB: Final = ITEMS.c.job_id == bindparam("job")
_NOW: Final = bindparam("now", type_=ITEMS.c.until_utc.type)
_LAPSED: Final = _OF_JOB & (ITEMS.c.state == "leased") & (ITEMS.c.until_utc <= _NOW)
_ANY_LAPSED: Final = select(exists().where(_LAPSED))
_NEXT: Final = (
    select(ITEMS.c.place, ITEMS.c.lost_n)
    .where(_OF_JOB, ITEMS.c.state == "waiting", or_(ITEMS.c.not_before_utc.is_(None), ITEMS.c.not_before_utc <= _NOW))
    .order_by(ITEMS.c.turn)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_TAKE: Final = (
    update(ITEMS)
    .where(_OF_JOB, ITEMS.c.place.in_(bindparam("places", expanding=True)))
    .values(
        state="leased",
        token=bindparam("by_token"),
        worker_id=bindparam("by_worker"),
        until_utc=bindparam("until"),
        attempts=ITEMS.c.attempts + 1,
    )
    .returning(*(ITEMS.c[name] for name in PROMPT_COLUMNS), ITEMS.c.attempts)
)


def claim(
    connection: Connection,
    job_id: str,
    worker_id: str,
    *,
    token: str,
    most: int,
    lease_s: float,
    attempts: int,
    now_utc: datetime,
) -> Claim | None:
    """Take up to `most` items; None where the job is not waiting or has none that may be tried now."""
    here = {"job": job_id, "now": now_utc}
    overdue = connection.scalar(_ANY_LAPSED, here)
    # The job's row is locked before its items by everyone, so that nobody waits in a circle; and as strongly as this
    # transaction will need it, as two that share a lock cannot both turn it into a whole one.
    query = select(JOBS.c.state, JOBS.c.deadline_utc).where(JOBS.c.job_id == job_id)
    query = query.with_for_update(key_share=True) if overdue else query.with_for_update(read=True)
    job = connection.execute(query).one_or_none()
    if job is None or job.state != "waiting":
        return None
    if overdue:
        _take_back(connection, job_id, attempts, deadline_utc=job.deadline_utc, now_utc=now_utc)
    next_rows = connection.execute(_NEXT, {**here, "most": most}).all()
    if not next_rows:
        return None
    # Those that were lost equally often, and half as many for each time.
    lost_n = next_rows[0].lost_n
    places = [row.place for row in next_rows if row.lost_n == lost_n][: max(1, most >> lost_n)]
    until_utc = now_utc + timedelta(seconds=lease_s)
    taken = {"job": job_id, "places": places, "by_token": token, "by_worker": worker_id, "until": until_utc}
    rows = sorted(connection.execute(_TAKE, taken), key=lambda row: row.turn)
    return Claim(
        job_id=job_id,
        token=token,
        worker_id=worker_id,
        until_utc=until_utc,
        items=tuple(map(as_item, rows)),
        attempts={row.place: row.attempts - 1 for row in rows},
    )


def renew(connection: Connection, claim: Claim, *, until_utc: datetime) -> bool:
    """Move the end of a lease; whether any item is still held."""
    job = select(JOBS.c.state).where(JOBS.c.job_id == claim.job_id).with_for_update(read=True)
    if connection.scalar(job) not in OPEN_STATES:
        return False
    return connection.execute(update(ITEMS).where(_held(claim)).values(until_utc=until_utc)).rowcount > 0


def release(connection: Connection, claim: Claim) -> None:
    """Give items back as if they had never been taken."""
    connection.execute(select(JOBS.c.state).where(JOBS.c.job_id == claim.job_id).with_for_update(read=True))
    values = {"state": "waiting", "token": None, "until_utc": None, "attempts": ITEMS.c.attempts - 1}
    connection.execute(update(ITEMS).where(_held(claim)).values(values))


def _held(claim: Claim) -> ColumnElement[bool]:
    return (ITEMS.c.job_id == claim.job_id) & (ITEMS.c.state == "leased") & (ITEMS.c.token == claim.token)


def _take_back(
    connection: Connection, job_id: str, attempts: int, *, deadline_utc: datetime, now_utc: datetime
) -> None:
    """Make waiting what a lease ran out for, or set it aside; the job's row is locked."""
    here = {"job": job_id, "now": now_utc}
    rows = connection.execute(HELD.where(_LAPSED), here).all()
    company = Counter(row.token for row in rows)
    together = {row.token for row in rows if company[row.token] > 1}
    if together:
        values = {"state": "waiting", "token": None, "until_utc": None, "lost_n": ITEMS.c.lost_n + 1}
        connection.execute(update(ITEMS).where(_LAPSED, ITEMS.c.token.in_(together)).values(values), here)
    failures = [(row, Failure(place=row.place, error=_LOST)) for row in rows if row.token not in together]
    aside = give_back(connection, failures, attempts, deadline_utc=deadline_utc, now_utc=now_utc)
    settle(connection, job_id, [], aside, now_utc)
