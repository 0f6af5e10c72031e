"""Workers are killed at random moments and started again: nothing is lost, nothing is stored twice.

`SPROUT_SOAK_KILLS=200 pytest tests/sprout_like/jobs/test_crash_soak.py` takes about ten minutes.
"""

from __future__ import annotations

import json
import os
import select as waiting
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sprout_like.jobs.job import OPEN_STATES, Item, Job
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.testing import fake_answer

from .soak_worker import FastClock

KILLS = int(os.environ.get("SPROUT_SOAK_KILLS", "8"))
KILLS_EACH = KILLS // 4
SPEED = 40.0
LEASE_S = 80.0
BATCH = 4
# Of many kills some hit an item that runs alone again and again, which is no fault of the item's.
ATTEMPTS = max(2, KILLS_EACH // 10)
BATCH_S = 0.1
POLL_S = 0.2
DEADLINE_S = 60 + 15 * KILLS_EACH
"""In our time, as for a job that is far from too large; others of ours may run on this machine."""

SCRIPT = Path(__file__).with_name("soak_worker.py")

STORED = {
    "sqlite": (
        "CREATE TABLE stored (job_id TEXT, place INTEGER)",
        "CREATE TRIGGER stored AFTER UPDATE OF answer ON job_items WHEN NEW.answer IS NOT NULL "
        "BEGIN INSERT INTO stored VALUES (NEW.job_id, NEW.place); END",
    ),
    "postgresql": (
        "CREATE TABLE stored (job_id TEXT, place INTEGER)",
        "CREATE FUNCTION note_stored() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO stored VALUES (NEW.job_id, NEW.place); RETURN NULL; END $$",
        "CREATE TRIGGER stored AFTER UPDATE OF answer ON job_items FOR EACH ROW WHEN (NEW.answer IS NOT NULL) "
        "EXECUTE FUNCTION note_stored()",
    ),
}
"""The database itself writes down each answer that is stored, whoever stores it."""


@dataclass
class Crew:
    """Worker processes, each started again when it dies."""

    arguments: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    starts_n: int = 0

    def start(self) -> None:
        with (self.folder / f"worker-{self.starts_n}.log").open("wb") as log:
            command = [sys.executable, str(SCRIPT), self.arguments]
            self.processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log))
        self.starts_n += 1

    def mend(self) -> None:
        """Start those again that died of a prompt."""
        for dead in [process for process in self.processes if process.poll() is not None]:
            self.bury(dead)
            assert dead.returncode == -9, self.logs()
            self.start()

    def kill(self, rng: Random) -> None:
        """Kill one after it began to work, now and then before, and start another."""
        self.mend()
        victim = rng.choice(self.processes)
        if rng.random() < 0.8:
            waiting.select([victim.stdout], [], [], 30)
            time.sleep(rng.uniform(0, 1.0))
        else:
            time.sleep(rng.uniform(0, 0.5))
        victim.kill()
        self.bury(victim)
        self.start()

    def bury(self, process: subprocess.Popen[bytes]) -> None:
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
        self.processes.remove(process)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))


@contextmanager
def crew_of(size: int, arguments: dict[str, Any], folder: Path) -> Iterator[Crew]:
    crew = Crew(json.dumps(arguments), folder)
    try:
        for _ in range(size):
            crew.start()
        yield crew
    finally:
        for process in list(crew.processes):
            process.kill()
            crew.bury(process)


def prompts(items_n: int, special: dict[int, str]) -> list[Item]:
    return [
        Item(
            place=place,
            messages=({"role": "user", "content": f"{special.get(place, 'plain')} {place}"},),
            arguments={"max_new_tokens": 4 + place % 13},
        )
        for place in range(items_n)
    ]


@pytest.mark.timeout(120 + 2 * DEADLINE_S)
@pytest.mark.parametrize("workers_n", [1, 4])
def test_killed_workers_lose_nothing_and_store_nothing_twice(
    spec: str, engine: Engine, tmp_path: Path, workers_n: int
) -> None:
    with engine.begin() as connection:
        for statement in STORED[engine.dialect.name]:
            connection.exec_driver_sql(statement)
    clock = FastClock(time.time(), SPEED)
    queue = Queue(engine, clock=clock, attempts=ATTEMPTS)
    special = {3: "poison", 11: "deadly"} if workers_n == 1 else {3: "poison"}
    items_n = 20 + 5 * KILLS_EACH * workers_n
    given = {"a" * 32: prompts(2 * items_n, special), "b" * 32: prompts(items_n, {})}
    now = clock.now_utc()
    for job_id, items in given.items():
        deadline_utc = now + timedelta(seconds=DEADLINE_S * SPEED)
        job = Job(job_id=job_id, submitted_utc=now, deadline_utc=deadline_utc, model="fake", items_n=len(items))
        queue.submit(job, items)
    told = {"spec": spec, "spool": str(tmp_path / "spool.sqlite"), "epoch_s": clock._epoch_s, "speed": SPEED}
    told |= {"lease_s": LEASE_S, "batch_size": BATCH, "attempts": ATTEMPTS, "batch_s": BATCH_S, "poll_s": POLL_S}
    rng = Random(workers_n)

    with crew_of(workers_n, told, tmp_path) as crew:
        for _ in range(KILLS_EACH):
            crew.kill(rng)
        give_up_s = time.monotonic() + DEADLINE_S
        while any(job.state in OPEN_STATES for job in queue.jobs()) and time.monotonic() < give_up_s:
            time.sleep(0.1)
            crew.mend()

        for job_id, items in given.items():
            job = queue.job(job_id)
            assert job.state == "done", crew.logs()
            assert job.finished_utc is not None
            assert job.finished_utc <= job.deadline_utc
            bad = special if job_id[0] == "a" else {}
            for item, attempt in zip(items, queue.attempts(job_id), strict=True):
                assert attempt.state == ("failed" if item.place in bad else "done"), attempt
                if attempt.answer is not None:
                    assert attempt.answer.text == fake_answer(item.messages, item.limit_tokens)
            standing = queue.standing(job_id)
            assert (standing.done_n, standing.failed_n) == (len(items) - len(bad), len(bad))

    with engine.connect() as connection:
        stored = Counter(map(tuple, connection.execute(text("SELECT job_id, place FROM stored"))))
        lost_n = connection.scalar(text("SELECT sum(lost_n) FROM job_items"))
    assert set(stored.values()) == {1}
    assert len(stored) == sum(map(len, given.values())) - len(special)
    sys.stdout.write(f"{engine.dialect.name}, {workers_n} workers: {crew.starts_n} starts, {lost_n} items taken back\n")
