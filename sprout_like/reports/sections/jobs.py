"""Jobs of the span, when they ran, and what that saved against running at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, and_, or_, select

from grid import Intensity
from sprout_like.jobs.job import Job, Planned, Run, WorkerRecord
from sprout_like.jobs.queue.rows import JOBS, PLANS, RUNS, WORKERS, as_job, as_planned, as_run, as_worker
from sprout_like.jobs.showing.saving import at_once_span, saved_share, so_far
from sprout_like.ledger.settlements import Settlements
from sprout_like.reports.report import JobLine, Window, ZoneIntensity

__all__ = ["MOST_JOBS", "read_jobs"]

MOST_JOBS: Final = 50
"""Jobs in a report; of more, those submitted last."""


def read_jobs(
    engine: Engine, *, since_utc: datetime | None, until_utc: datetime | None, pue: float
) -> tuple[tuple[JobLine, ...], tuple[ZoneIntensity, ...], int]:
    """The jobs that were submitted or ran in the span, the intensities of their zones, and how many jobs there are.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    with engine.connect() as connection:
        jobs, energies, total = _jobs(connection, since_utc, until_utc)
        runs, planned = _windows(connection, jobs)
        workers = [as_worker(row) for row in connection.execute(select(WORKERS))] if planned else []
    spans = [at_once_span(job, runs[job.job_id]) for job in jobs]
    spans += [(run.started_utc, run.ended_utc) for of in runs.values() for run in of]
    spans += [(span.start_utc, span.end_utc) for of in planned.values() for span in of]
    ran_in = {run.zone for of in runs.values() for run in of}
    zones = sorted(ran_in | {span.zone for of in planned.values() for span in of})
    readings: Sequence[Intensity] = ()
    if zones:
        start, end = min(start for start, _ in spans), max(end for _, end in spans)
        readings = Settlements(engine).published(zones, start, end)
    lines = tuple(
        _line(job, energies[job.job_id], runs[job.job_id], planned[job.job_id], readings, pue=pue) for job in jobs
    )
    return lines, tuple(_intensities(readings, workers, zones)), total


def _jobs(
    connection: Connection, since_utc: datetime | None, until_utc: datetime | None
) -> tuple[list[Job], dict[str, tuple[int, int, float | None, float | None]], int]:
    ran = RUNS.c.job_id == JOBS.c.job_id
    came = []
    if since_utc is not None:
        ran &= RUNS.c.ended_utc >= since_utc
        came.append(JOBS.c.submitted_utc >= since_utc)
    if until_utc is not None:
        ran &= RUNS.c.started_utc < until_utc
        came.append(JOBS.c.submitted_utc < until_utc)
    query = select(JOBS).order_by(JOBS.c.submitted_utc.desc(), JOBS.c.job_id.desc())
    if came:
        query = query.where(or_(and_(*came), select(RUNS.c.run_id).where(ran).exists()))
    rows = connection.execute(query).all()
    shown = rows[:MOST_JOBS]
    sums = {row.job_id: (row.done_n, row.failed_n, row.energy_j, row.operational_g) for row in shown}
    return [as_job(row) for row in shown], sums, len(rows)


def _windows(
    connection: Connection, jobs: Iterable[Job]
) -> tuple[defaultdict[str, list[Run]], defaultdict[str, list[Planned]]]:
    ids = [job.job_id for job in jobs]
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    planned: defaultdict[str, list[Planned]] = defaultdict(list)
    if ids:
        for row in connection.execute(
            select(RUNS).where(RUNS.c.job_id.in_(ids)).order_by(RUNS.c.started_utc, RUNS.c.run_id)
        ):
            runs[row.job_id].append(as_run(row))
        for row in connection.execute(
            select(PLANS).where(PLANS.c.job_id.in_(ids)).order_by(PLANS.c.start_utc, PLANS.c.place)
        ):
            planned[row.job_id].append(as_planned(row))
    return runs, planned


def _line(
    job: Job,
    sums: tuple[int, int, float | None, float | None],
    runs: Sequence[Run],
    planned: Sequence[Planned],
    readings: Iterable[Intensity],
    *,
    pue: float,
) -> JobLine:
    start_utc, end_utc = at_once_span(job, runs)
    near = [reading for reading in readings if reading.start_utc <= end_utc and reading.end_utc > start_utc]
    found = so_far(job, runs, near, pue=pue)
    done_n, failed_n, energy_j, operational_g = sums
    windows = [
        Window(
            state="run",
            zone=run.zone,
            start_utc=run.started_utc,
            end_utc=run.ended_utc,
            items_n=run.items_n,
            operational_g=run.operational_g,
        )
        for run in runs
    ]
    windows += [
        Window(
            state="planned",
            zone=span.zone,
            start_utc=span.start_utc,
            end_utc=span.end_utc,
            items_n=None,
            operational_g=None,
        )
        for span in planned
    ]
    return JobLine(
        job_id=job.job_id,
        model=job.model,
        task=job.task,
        state=job.state,
        submitted_utc=job.submitted_utc,
        deadline_utc=job.deadline_utc,
        finished_utc=job.finished_utc,
        items_n=job.items_n,
        done_n=done_n,
        failed_n=failed_n,
        energy_j=energy_j,
        operational_g=operational_g,
        planned_saving=saved_share(job.planned_g, job.at_once_g),
        emitted_g=found.emitted_g,
        at_once_g=found.at_once_g,
        saving=saved_share(found.emitted_g, found.at_once_g),
        known_runs=found.known_n,
        runs=found.runs_n,
        windows=tuple(windows),
    )


def _intensities(
    readings: Iterable[Intensity], workers: Iterable[WorkerRecord], zones: Iterable[str]
) -> list[ZoneIntensity]:
    """What was published, and what workers expect, which says neither kind nor factors."""
    found = {
        ZoneIntensity(
            zone=reading.zone,
            intensity_kind=reading.kind,
            intensity_factors=reading.factors,
            status=reading.status,
            start_utc=reading.start_utc,
            end_utc=reading.end_utc,
            g_per_kwh=reading.g_per_kwh,
        )
        for reading in readings
    }
    wanted = set(zones)
    newest: dict[str, WorkerRecord] = {}
    for worker in sorted(workers, key=lambda worker: (worker.seen_utc, worker.worker_id)):
        if worker.zone in wanted and worker.outlook:
            newest[worker.zone] = worker
    for zone, worker in newest.items():
        for start_utc, end_utc, g_per_kwh in worker.outlook:
            found.add(
                ZoneIntensity(
                    zone=zone,
                    intensity_kind=None,
                    intensity_factors=None,
                    status="forecast",
                    start_utc=start_utc,
                    end_utc=end_utc,
                    g_per_kwh=g_per_kwh,
                )
            )
    return sorted(
        found,
        key=lambda slot: (
            slot.zone,
            slot.intensity_kind or "",
            slot.intensity_factors or "",
            slot.status,
            slot.start_utc,
            slot.end_utc,
            slot.g_per_kwh,
        ),
    )
