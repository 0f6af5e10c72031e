"""Jobs in a report: which of them, when they ran, and what that saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from sprout_like.ledger.schema import IntensityRow, JobPlanRow, JobRow, JobRunRow, WorkerRow
from sprout_like.reports.report import JobLine, ZoneIntensity
from sprout_like.reports.sections.jobs import MOST_JOBS, read_jobs

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": f"{number:032x}",
        "submitted_utc": NOON,
        "deadline_utc": NOON + 24 * HOUR,
        "model": "m",
        "task": "sums",
        "zones": [],
        "tags": {},
        "items_n": 4,
        "state": "done",
        "planned_g": 60.0,
        "at_once_g": 100.0,
        "limit_tokens": 4,
        "done_n": 3,
        "failed_n": 1,
        "done_tokens": 3,
        "done_limit_tokens": 3,
        "failed_limit_tokens": 1,
        "energy_j": 3.6e6,
        "operational_g": 50.0,
        **changes,
    }


def run(of: int, at: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": f"{of}-{at:%d-%H}",
        "job_id": f"{of:032x}",
        "worker_id": "w",
        "zone": "GB",
        "started_utc": at,
        "ended_utc": at + HOUR,
        "items_n": 4,
        "new_tokens": 3,
        "energy_j": 3.6e6,
        "operational_g": 50.0,
        **changes,
    }


def published(at: datetime, g_per_kwh: float) -> dict[str, Any]:
    return {
        "zone": "GB",
        "source": "uk",
        "kind": "average",
        "factors": "direct",
        "status": "actual",
        "start_utc": at,
        "end_utc": at + HOUR,
        "g_per_kwh": g_per_kwh,
        "fetched_at_utc": at + 2 * HOUR,
    }


def write(engine: Engine, **rows: list[dict[str, Any]]) -> None:
    tables = {"jobs": JobRow, "runs": JobRunRow, "plans": JobPlanRow, "intensities": IntensityRow, "workers": WorkerRow}
    with engine.begin() as connection:
        for name, table in tables.items():
            if name in rows:
                connection.execute(insert(table), rows[name])


def read(engine: Engine, **span: Any) -> tuple[tuple[JobLine, ...], tuple[ZoneIntensity, ...], int]:
    return read_jobs(engine, since_utc=span.get("since_utc"), until_utc=span.get("until_utc"), pue=1.0)


def test_a_job_has_its_windows_and_its_saving_against_running_at_once(filled: Fill) -> None:
    engine = filled([])
    write(
        engine,
        jobs=[job(1)],
        runs=[run(1, NOON + 10 * HOUR)],
        intensities=[published(NOON, 200.0), published(NOON + 10 * HOUR, 50.0)],
    )

    (line,), zones, total = read(engine)

    assert (line.items_n, line.done_n, line.failed_n, total) == (4, 3, 1, 1)
    assert line.planned_saving == pytest.approx(0.4)
    assert (line.emitted_g, line.at_once_g, line.saving) == (50.0, 200.0, 0.75)
    assert [(window.state, window.zone, window.start_utc) for window in line.windows] == [
        ("run", "GB", NOON + 10 * HOUR)
    ]
    assert [(slot.start_utc, slot.g_per_kwh, slot.status) for slot in zones] == [
        (NOON, 200.0, "actual"),
        (NOON + 10 * HOUR, 50.0, "actual"),
    ]


def test_a_plan_stands_on_the_forecast_that_the_zones_worker_saw_last(filled: Fill) -> None:
    worker = {
        "host": "h",
        "pid": 1,
        "zone": "GB",
        "model": "m",
        "engine": "padded",
        "schema": "1",
        "state": "idle",
        "started_utc": NOON,
        "batch_size": 1,
        "stop_asked": False,
    }
    outlook = [[(NOON + HOUR).isoformat(), (NOON + 2 * HOUR).isoformat(), 90.0]]
    engine = filled([])
    write(
        engine,
        jobs=[job(1, state="waiting")],
        plans=[
            {
                "place": 0,
                "job_id": f"{1:032x}",
                "worker_id": "w",
                "zone": "GB",
                "start_utc": NOON + HOUR,
                "end_utc": NOON + 2 * HOUR,
            }
        ],
        workers=[
            worker | {"worker_id": "old", "seen_utc": NOON, "outlook": [[*outlook[0][:2], 999.0]]},
            worker | {"worker_id": "new", "seen_utc": NOON + HOUR, "outlook": outlook},
        ],
    )

    (line,), zones, _ = read(engine)

    assert [(window.state, window.items_n) for window in line.windows] == [("planned", None)]
    assert [(slot.status, slot.intensity_kind, slot.g_per_kwh) for slot in zones] == [("forecast", None, 90.0)]


def test_jobs_count_where_they_came_or_ran_in_the_span(filled: Fill) -> None:
    engine = filled([])
    write(
        engine,
        jobs=[
            job(1, submitted_utc=NOON - 48 * HOUR),
            job(2, submitted_utc=NOON - 48 * HOUR),
            job(3),
            job(4, submitted_utc=NOON + 48 * HOUR),
        ],
        runs=[run(1, NOON + HOUR), run(2, NOON - 40 * HOUR)],
    )

    lines, _, total = read(engine, since_utc=NOON, until_utc=NOON + 24 * HOUR)

    assert ([int(line.job_id, 16) for line in lines], total) == ([3, 1], 2)


def test_of_many_jobs_the_latest_are_shown_and_all_are_counted(filled: Fill) -> None:
    engine = filled([])
    write(engine, jobs=[job(n, submitted_utc=NOON + n * HOUR) for n in range(MOST_JOBS + 2)])

    lines, _, total = read(engine)

    assert (len(lines), total, int(lines[0].job_id, 16)) == (MOST_JOBS, MOST_JOBS + 2, MOST_JOBS + 1)
