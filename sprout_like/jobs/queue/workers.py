"""Who runs jobs, and when they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sprout_like.errors import JobError
from sprout_like.jobs.job import Run, WorkerRecord
from sprout_like.jobs.queue.rows import RUNS, WORKERS, as_run, as_worker, names_of, worker_values

__all__ = ["announce", "ask_stop", "record_run", "runs", "workers"]


def announce(connection: Connection, worker: WorkerRecord) -> bool:
    """Keep what a worker says of itself; whether somebody asked it to stop."""
    values = worker_values(worker)
    _upsert(connection, WORKERS, {**values, "stop_asked": False}, replaced=values)
    return bool(connection.scalar(select(WORKERS.c.stop_asked).where(WORKERS.c.worker_id == worker.worker_id)))


def ask_stop(connection: Connection, worker_id: str) -> None:
    """Tell a worker to stop with its next heart-beat."""
    asked = update(WORKERS).where(WORKERS.c.worker_id == worker_id).values(stop_asked=True)
    if connection.execute(asked).rowcount == 0:
        raise JobError(f"jobs: there is no worker {worker_id}. `sprout-like jobs list` shows those that are there")


def workers(connection: Connection, seen_after_utc: datetime | None) -> list[WorkerRecord]:
    """Workers by id; with a moment, only those that announced themselves after it."""
    query = select(WORKERS).order_by(WORKERS.c.worker_id)
    if seen_after_utc is not None:
        query = query.where(WORKERS.c.seen_utc > seen_after_utc)
    return [as_worker(row) for row in connection.execute(query)]


def record_run(connection: Connection, run: Run) -> None:
    """Keep a run as it is now."""
    values = {name: getattr(run, name) for name in names_of(Run)}
    _upsert(connection, RUNS, values, replaced=values)


def runs(connection: Connection, job_id: str | None) -> list[Run]:
    """Runs in order of their start; with a job, only its own."""
    query = select(RUNS).order_by(RUNS.c.started_utc, RUNS.c.run_id)
    if job_id is not None:
        query = query.where(RUNS.c.job_id == job_id)
    return [as_run(row) for row in connection.execute(query)]


def _upsert(connection: Connection, table: Table, values: dict[str, Any], *, replaced: dict[str, Any]) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = list(table.primary_key.columns.keys())
    changed = {name: value for name, value in replaced.items() if name not in keys}
    connection.execute(make(table).values(values).on_conflict_do_update(index_elements=keys, set_=changed))
