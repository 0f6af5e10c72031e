"""100,000 items submitted, claimed in batches and finished, on SQLite and on PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from benchmarks.harness import timed, write_result
from sprout_like.clock import SystemClock
from sprout_like.jobs.job import Answer, Item, Job
from sprout_like.jobs.queue import Queue, open_queue
from sprout_like.ledger.testing_postgres import find_postgres, temporary_postgres

ITEMS_N = 100_000
BATCH = 32
LEASE_S = 120.0


def main() -> None:
    """Measure and write the result."""
    figures = {name: _measure(spec) for name, spec in _databases()}
    write_result("job_queue", {"items": ITEMS_N, "batch": BATCH, **figures, "wanted": "sqlite: total_s <= 60"})


def _databases() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "sqlite", str(Path(folder) / "ledger.sqlite")
    binaries = find_postgres()
    if binaries is not None:
        with temporary_postgres(binaries) as server:
            yield "postgresql", server.create_database()


def _measure(spec: str) -> dict[str, Any]:
    items = _items()
    with _opened(spec) as queue:
        now = SystemClock().now_utc()
        job = Job(
            job_id="a" * 32,
            submitted_utc=now,
            deadline_utc=now + timedelta(days=1),
            model="none",
            items_n=len(items),
        )
        begun_s = process_time()
        submit_s = timed(lambda: queue.submit(job, items))
        work_s = timed(lambda: _work(queue, job.job_id))
        cpu_s = process_time() - begun_s
        standing_s = timed(lambda: queue.standing(job.job_id))
        results_s = timed(lambda: sum(1 for _ in queue.attempts(job.job_id)))
        done_n = queue.standing(job.job_id).done_n
    return {
        "submit_s": round(submit_s, 2),
        "claim_and_finish_s": round(work_s, 2),
        "total_s": round(submit_s + work_s, 2),
        "own_cpu_s": round(cpu_s, 2),
        "standing_ms": round(standing_s * 1e3, 2),
        "read_results_s": round(results_s, 2),
        "done": done_n,
    }


@contextmanager
def _opened(spec: str) -> Iterator[Queue]:
    queue = open_queue(spec, create=True)
    try:
        yield queue
    finally:
        queue.close()


def _items() -> list[Item]:
    """Prompts of 40 to 2,000 characters, limits of 16 to 512 tokens."""
    rng = Random(0)
    text = "Why is the sky blue? " * 100
    return [
        Item(
            place=place,
            messages=({"role": "user", "content": text[: rng.randint(40, 2000)]},),
            arguments={"max_new_tokens": rng.choice((16, 32, 64, 128, 256, 512)), "do_sample": False},
        )
        for place in range(ITEMS_N)
    ]


def _work(queue: Queue, job_id: str) -> None:
    while (claim := queue.claim(job_id, "bench", most=BATCH, lease_s=LEASE_S)) is not None:
        answers = [
            Answer(
                place=item.place,
                text="Because of Rayleigh scattering. " * 8,
                request_id="0" * 32,
                prompt_tokens=100,
                new_tokens=64,
                finish_reason="stop",
                energy_j=1.5,
                energy_method="apportioned",
                operational_g=0.001,
            )
            for item in claim.items
        ]
        queue.finish(claim, answers)


if __name__ == "__main__":
    main()
