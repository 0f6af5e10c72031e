"""A queue in which a job is half done, for the tests of the commands."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grid.testing import reading
from sprout_like.jobs.job import Answer, Failure, Job, Planned, Run, WorkerRecord
from sprout_like.jobs.queue import Queue, open_queue
from sprout_like.jobs.submitting.items import items_of
from sprout_like.ledger import open_engine
from sprout_like.ledger.migrate import HEAD
from sprout_like.ledger.settlements import Settlements

HOUR = timedelta(hours=1)
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
KWH_J = 3.6e6


@dataclass(frozen=True, slots=True)
class Made:
    """What there is: 10 items, of which 4 are answered, 1 is set aside, 2 are with a worker and 3 wait."""

    ledger: Path
    now_utc: datetime
    job_id: str
    worker_id: str


@contextmanager
def opened(ledger: Path) -> Iterator[Queue]:
    with closing(open_queue(ledger)) as queue:
        yield queue


def worker(now_utc: datetime, **fields: Any) -> WorkerRecord:
    """An hourly forecast that falls from 300 to 100 g/kWh over the next twenty hours."""
    hour = now_utc.replace(minute=0, second=0, microsecond=0)
    known: dict[str, Any] = {
        "worker_id": "b" * 32,
        "host": "node-1",
        "pid": 1,
        "zone": "GB",
        "model": MODEL,
        "engine": "padded",
        "schema": HEAD,
        "state": "running",
        "started_utc": now_utc,
        "seen_utc": now_utc,
        "batch_size": 2,
        "pace_tokens_per_s": 100.0,
        "power_w": 20.0,
        "outlook": tuple((hour + n * HOUR, hour + (n + 1) * HOUR, 300.0 - 10 * n) for n in range(20)),
    }
    return WorkerRecord(**{**known, **fields})


def make_queue(ledger: Path) -> Made:
    now_utc = datetime.now(UTC)
    hour = now_utc.replace(minute=0, second=0, microsecond=0)
    submitted_utc = hour - 8 * HOUR
    job_id = f"{int(submitted_utc.timestamp() * 1000):012x}{'a' * 20}"
    job = Job(
        job_id=job_id,
        submitted_utc=submitted_utc,
        deadline_utc=hour + 12 * HOUR,
        model=MODEL,
        task="summary",
        tags={"team": "search"},
        items_n=10,
    )
    with closing(open_queue(ledger, create=True)) as queue:
        prompts = [{"prompt": f"a secret {n}", "id": f"q{n}"} for n in range(10)]
        queue.submit(job, items_of(prompts, limit_tokens=64))
        record = worker(now_utc)
        queue.announce(record)
        queue.plan(
            [
                Planned(
                    job_id=job_id,
                    worker_id=record.worker_id,
                    zone="GB",
                    start_utc=hour + 5 * HOUR,
                    end_utc=hour + 7 * HOUR,
                )
            ]
        )
        queue.revise(job_id, planned_g=50.0, at_once_g=100.0)
        claim = queue.claim(job_id, record.worker_id, most=5, lease_s=600)
        assert claim is not None
        answers = [
            Answer(
                place=item.place,
                text=f"an answer to {item.place}",
                directive="brief",
                prompt_tokens=5,
                new_tokens=7,
                finish_reason="stop",
                energy_j=KWH_J / 4,
                energy_method="apportioned",
                operational_g=25.0,
            )
            for item in claim.items[1:]
        ]
        failed = Failure(place=claim.items[0].place, error="ValueError: longer than the context", for_good=True)
        queue.finish(claim, answers, [failed])
        queue.claim(job_id, record.worker_id, most=2, lease_s=600)
        queue.record_run(
            Run(
                run_id="c" * 32,
                job_id=job_id,
                worker_id=record.worker_id,
                zone="GB",
                started_utc=hour - 3 * HOUR,
                ended_utc=hour - 2 * HOUR,
                items_n=5,
                new_tokens=28,
                energy_j=KWH_J,
                operational_g=100.0,
            )
        )
    engine = open_engine(ledger)
    Settlements(engine).keep(
        [reading(400 - 20 * n, start_utc=hour + (n - 8) * HOUR, slot_s=3600, zone="GB") for n in range(8)]
    )
    engine.dispose()
    return Made(ledger=ledger, now_utc=now_utc, job_id=job_id, worker_id=record.worker_id)


def copied(made: Made, ledger: Path) -> Made:
    """The same queue in another file: making it anew takes half a second."""
    with closing(sqlite3.connect(made.ledger)) as source, closing(sqlite3.connect(ledger)) as target:
        source.backup(target)
    now_utc = datetime.now(UTC)
    with opened(ledger) as queue:
        queue.announce(worker(now_utc))
    return replace(made, ledger=ledger, now_utc=now_utc)


def contents(ledger: Path) -> list[str]:
    """All that is in the database, to see whether a command changed it."""
    with closing(sqlite3.connect(ledger)) as connection:
        return list(connection.iterdump())
