"""The plan in force, and the lock that leaves one planner at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.jobs.job import Planned
from sprout_like.jobs.queue.database import Database
from sprout_like.jobs.queue.rows import PLANS, as_planned, names_of

__all__ = ["plan", "planned", "planning"]

# Any number will do that differs from that of migrations, as long as every release uses the same.
_ADVISORY_LOCK: Final = 7_768_657_532


def plan(connection: Connection, spans: Sequence[Planned]) -> None:
    """Replace the plan."""
    connection.execute(delete(PLANS))
    names = names_of(Planned)
    rows = [{"place": place, **{n: getattr(span, n) for n in names}} for place, span in enumerate(spans)]
    if rows:
        connection.execute(insert(PLANS), rows)


def planned(connection: Connection, job_id: str | None, worker_id: str | None) -> list[Planned]:
    """Planned spans in order of their start; of one job or one worker alone where given."""
    query = select(PLANS).order_by(PLANS.c.start_utc, PLANS.c.place)
    if job_id is not None:
        query = query.where(PLANS.c.job_id == job_id)
    if worker_id is not None:
        query = query.where(PLANS.c.worker_id == worker_id)
    return [as_planned(row) for row in connection.execute(query)]


@contextmanager
def planning(database: Database) -> Iterator[bool]:
    """True to one at a time over all processes on the database; given back at the end, and by death."""
    if database.engine.dialect.name == "sqlite":
        with _locked_file(Path(f"{database.engine.url.database}.planning")) as mine:
            yield mine
    else:
        with _locked_transaction(database) as mine:
            yield mine


@contextmanager
def _locked_file(path: Path) -> Iterator[bool]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def _locked_transaction(database: Database) -> Iterator[bool]:
    # Of a transaction, as a session's lock would stay with a pooled connection, ours or that of a pooler in between.
    with ExitStack() as stack:
        with database.told():
            connection = database.engine.connect()
            stack.callback(_close, connection)
            mine = connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        yield bool(mine)


def _close(connection: Connection) -> None:
    with suppress(SQLAlchemyError):  # a server that went away has given the lock back
        connection.close()
