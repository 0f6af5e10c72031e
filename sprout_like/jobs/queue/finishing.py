"""How items end: answered, tried again later, or set aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    update,
)

from sprout_like.jobs.job import OPEN_STATES, Answer, Claim, Failure
from sprout_like.jobs.queue.rows import ANSWER_COLUMNS, ITEMS, JOBS, answer_values, storable

__all__ = ["HELD", "HeldRow", "finish", "give_back", "settle"]

_FIRST_RETRY_S: Final = 30.0
_LAST_RETRY_S: Final = 3600.0
_SHORTEST_RETRY_S: Final = 1.0
_PARTS_OF_LEFT: Final = 4
_ERROR_CHARACTERS: Final = 500

HELD: Final[Select[*tuple[Any, ...]]] = select(
    ITEMS.c.job_id, ITEMS.c.place, ITEMS.c.token, ITEMS.c.limit_tokens, ITEMS.c.attempts, ITEMS.c.lost_n
).where(ITEMS.c.state == "leased")
"""What is to be known of an item that ends; not its prompt, which is long."""

HeldRow = Row[*tuple[Any, ...]]
"""A row of `HELD`."""


def finish(
    connection: Connection,
    claim: Claim,
    answers: Iterable[Answer],
    failures: Iterable[Failure],
    *,
    attempts: int,
    now_utc: datetime,
) -> int:
    """Keep the answers to items that are still held under the claim's token; how many that were."""
    query = select(JOBS.c.state, JOBS.c.deadline_utc).where(JOBS.c.job_id == claim.job_id)
    job = connection.execute(query.with_for_update(key_share=True)).one_or_none()
    if job is None or job.state not in OPEN_STATES:
        return 0
    held = HELD.where(ITEMS.c.job_id == claim.job_id, ITEMS.c.token == claim.token)
    rows = {row.place: row for row in connection.execute(held)}
    kept = [(rows.pop(answer.place), answer) for answer in answers if answer.place in rows]
    failed = [(rows.pop(failure.place), failure) for failure in failures if failure.place in rows]
    if kept:
        done = {"state": "done", "error": None, "finished_utc": now_utc}
        connection.execute(_DONE, [{**_key(row), **done, **answer_values(answer)} for row, answer in kept])
    aside = give_back(connection, failed, attempts, deadline_utc=job.deadline_utc, now_utc=now_utc)
    settle(connection, claim.job_id, kept, aside, now_utc)
    return len(kept)


def give_back(
    connection: Connection,
    failures: Sequence[tuple[HeldRow, Failure]],
    attempts: int,
    *,
    deadline_utc: datetime,
    now_utc: datetime,
) -> list[HeldRow]:
    """Make items that failed wait for another try, later each time; those set aside instead are returned."""
    again: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    rows: list[HeldRow] = []
    for row, failure in failures:
        tried = row.attempts - row.lost_n
        values = {**_key(row), "error": storable(failure.error)[:_ERROR_CHARACTERS]}
        if failure.for_good or tried >= attempts:
            aside.append({**values, "state": "failed", "finished_utc": now_utc})
            rows.append(row)
        else:
            wait_s = _wait_s(tried, (deadline_utc - now_utc).total_seconds())
            again.append({**values, "state": "waiting", "not_before_utc": now_utc + timedelta(seconds=wait_s)})
    if again:
        connection.execute(_AGAIN, again)
    if aside:
        connection.execute(_ASIDE, aside)
    return rows


def _wait_s(tried: int, left_s: float) -> float:
    """Time to the next try after so many, `left_s` before the deadline.

    A quarter of what is left at most: the tries to come, and their work, are to be over by the deadline too. Once it
    has passed, each wait makes the job later still.
    """
    most_s = max(left_s / _PARTS_OF_LEFT, _SHORTEST_RETRY_S) if left_s > 0 else _FIRST_RETRY_S
    return min(_FIRST_RETRY_S * 2.0 ** (tried - 1), _LAST_RETRY_S, most_s)


def settle(
    connection: Connection,
    job_id: str,
    kept: Sequence[tuple[HeldRow, Answer]],
    aside: Sequence[HeldRow],
    now_utc: datetime,
) -> None:
    """Add what ended to the job's row, and end the job with its last item; the row is locked."""
    if not kept and not aside:
        return
    answers = [answer for _, answer in kept]
    more = {
        "of_job": job_id,
        "more_done": len(kept),
        "more_failed": len(aside),
        "more_tokens": sum(answer.new_tokens or 0 for answer in answers),
        "more_done_limits": sum(row.limit_tokens for row, _ in kept),
        "more_failed_limits": sum(row.limit_tokens for row in aside),
        "more_j": _sum_of_known(answer.energy_j for answer in answers),
        "more_g": _sum_of_known(answer.operational_g for answer in answers),
        "now": now_utc,
    }
    connection.execute(_SETTLE, more)


def _ending(*names: str) -> Update:
    """Writes these columns of an item that nobody holds any more."""
    item = (ITEMS.c.job_id == bindparam("of_job")) & (ITEMS.c.place == bindparam("at_place"))
    columns: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(ITEMS).where(item).values(token=None, until_utc=None, **columns)


def _settling() -> Update:
    done_n, failed_n = JOBS.c.done_n + bindparam("more_done"), JOBS.c.failed_n + bindparam("more_failed")
    over = done_n + failed_n == JOBS.c.items_n
    return (
        update(JOBS)
        .where(JOBS.c.job_id == bindparam("of_job"))
        .values(
            done_n=done_n,
            failed_n=failed_n,
            done_tokens=JOBS.c.done_tokens + bindparam("more_tokens"),
            done_limit_tokens=JOBS.c.done_limit_tokens + bindparam("more_done_limits"),
            failed_limit_tokens=JOBS.c.failed_limit_tokens + bindparam("more_failed_limits"),
            energy_j=_plus(JOBS.c.energy_j, "more_j"),
            operational_g=_plus(JOBS.c.operational_g, "more_g"),
            state=case((and_(over, done_n > 0), literal("done")), (over, literal("failed")), else_=JOBS.c.state),
            finished_utc=case((over, bindparam("now", type_=JOBS.c.finished_utc.type)), else_=null()),
        )
    )


def _plus(column: ColumnElement[float | None], name: str) -> ColumnElement[float | None]:
    """The sum where both are known, else the one that is."""
    more = bindparam(name, type_=Double)
    return func.coalesce(column + more, column, more)


# Built once, as that takes longer than what the database does with them.
_DONE: Final = _ending("state", "error", "finished_utc", "answer", *ANSWER_COLUMNS)
_AGAIN: Final = _ending("state", "error", "not_before_utc")
_ASIDE: Final = _ending("state", "error", "finished_utc")
_SETTLE: Final = _settling()


def _key(row: HeldRow) -> dict[str, Any]:
    return {"of_job": row.job_id, "at_place": row.place}


def _sum_of_known(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None
