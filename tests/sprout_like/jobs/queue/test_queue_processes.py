"""Several processes on one queue, some of them killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sprout_like.clock import SystemClock
from sprout_like.jobs.job import Schedule
from sprout_like.jobs.queue import Queue, open_queue

WORK = """
import sys
from sprout_like.jobs.job import Answer
from sprout_like.jobs.queue import open_queue
spec, job_id, name = sys.argv[1:]
queue = open_queue(spec)
print("ready", flush=True)
sys.stdin.read(1)
while (claim := queue.claim(job_id, name, most=7, lease_s=60)) is not None:
    queue.renew(claim, lease_s=60)
    answers = [Answer(place=item.place, text=name, new_tokens=1, energy_j=1.0) for item in claim.items]
    assert queue.finish(claim, answers) == len(answers)
    print(*(item.place for item in claim.items))
queue.close()
"""

HOLD = """
import sys, time
from sprout_like.jobs.queue import open_queue
with open_queue(sys.argv[1]).planning() as mine:
    print(mine, flush=True)
    time.sleep(60)
"""

FIRE = """
import sys
from dataclasses import replace
from datetime import timedelta
from sprout_like.jobs.queue import open_queue
queue = open_queue(sys.argv[1])
[schedule] = queue.schedules()
print("ready", flush=True)
sys.stdin.read(1)
job = replace(schedule.job, job_id=sys.argv[2] * 32)
print(queue.fire(schedule, job, schedule.next_utc + timedelta(hours=1)))
"""


@pytest.fixture
def shared(spec: str) -> Iterator[Queue]:
    queue = open_queue(spec, create=True)
    yield queue
    queue.close()


def together(script: str, arguments: Sequence[Sequence[str]]) -> list[str]:
    """What processes print that go on when all are ready."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen([sys.executable, "-c", script, *each], text=True, **pipes) for each in arguments]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * len(started)
    for process in started:
        process.stdin.close()
        process.stdin = None  # so that `communicate` does not write to it
    ended = [(process.communicate(timeout=120), process.returncode) for process in started]
    assert [(err, code) for (_, err), code in ended] == [("", 0)] * len(ended)
    return [out for (out, _), _ in ended]


def test_four_processes_share_a_job_and_no_item_is_answered_twice(spec: str, shared: Queue, new_client: Any) -> None:
    client = new_client(shared, SystemClock())
    job_id = client.submit([1 + place % 5 for place in range(600)])

    printed = together(WORK, [(spec, job_id, f"w{number}") for number in range(4)])

    answered = sorted(int(place) for out in printed for place in out.split())
    assert answered == list(range(600))
    standing = shared.standing(job_id)
    assert (standing.done_n, standing.energy_j, standing.left_tokens) == (600, 600.0, 0)
    assert shared.job(job_id).state == "done"


def test_the_planner_lock_dies_with_its_process(spec: str, shared: Queue) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, spec], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with shared.planning() as mine:
            assert not mine
        holder.kill()
        holder.wait(30)

    # The server notices the death of its client a moment later.
    for _ in range(1000):
        with shared.planning() as mine:
            if mine:
                break
    assert mine


def test_of_several_processes_one_fires_a_schedule(spec: str, shared: Queue, new_client: Any, make_items: Any) -> None:
    client = new_client(shared, SystemClock())
    schedule = Schedule(
        schedule_id="5" * 32,
        cron="* * * * *",
        timezone="UTC",
        within=timedelta(hours=1),
        next_utc=datetime.now(UTC),
        job=client.job(3),
    )
    shared.add_schedule(schedule, make_items([4, 4, 4]))

    printed = together(FIRE, [(spec, digit) for digit in "abcd"])

    assert sorted(printed) == ["False\n"] * 3 + ["True\n"]
    [job] = shared.jobs()
    assert (job.items_n, shared.standing(job.job_id).waiting_n) == (3, 3)
    assert shared.schedules() == [replace(schedule, next_utc=schedule.next_utc + timedelta(hours=1))]
