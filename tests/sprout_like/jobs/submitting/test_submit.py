"""From an order to the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sprout_like.errors import JobError
from sprout_like.jobs.job import WorkerRecord
from sprout_like.jobs.queue import Queue, open_queue
from sprout_like.jobs.submitting.items import items_of
from sprout_like.jobs.submitting.submission import Order, Submission
from sprout_like.jobs.submitting.submit import new_job_id, submit
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.tasks import known_tasks
from sprout_like.ledger.testing import sample_request
from sprout_like.meters.testing import ManualClock

NOW = ManualClock().now_utc()
HOUR = timedelta(hours=1)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with closing(open_queue(tmp_path / "ledger.sqlite", create=True, clock=ManualClock())) as opened:
        yield opened


def announced(queue: Queue, *, seen_utc: datetime = NOW, **fields: Any) -> None:
    known: dict[str, Any] = {"worker_id": "w", "state": "idle", "pace_tokens_per_s": 1.0, "power_w": 50.0, **fields}
    queue.announce(
        WorkerRecord(
            host="here",
            pid=1,
            zone="GB",
            model="org/model",
            engine="padded",
            schema="0007",
            started_utc=NOW,
            seen_utc=seen_utc,
            outlook=((NOW, NOW + 96 * HOUR, 100.0),),
            **known,
        )
    )


def submitted(queue: Queue, *, tokens: int, deadline: str = "+8h", **order: Any) -> Submission:
    """A job of so many tokens, for a worker that makes 3,600 in an hour."""
    asked = Order(deadline=deadline, **{"model": "org/model", **order})
    return submit(queue, asked, items_of(["Why?"], limit_tokens=tokens), now_utc=NOW, margin=0.1)


def test_a_job_is_in_the_queue_as_it_was_ordered(queue: Queue) -> None:
    made = submitted(queue, tokens=100)
    assert queue.jobs() == [made.job]
    claim = queue.claim(made.job.job_id, "w", most=9, lease_s=60)
    assert claim is not None
    assert claim.items == made.items


def test_what_waits_already_counts(queue: Queue) -> None:
    """Of 8 hours, the first job takes 6; the second would need 4 of the other 2."""
    announced(queue)
    first = submitted(queue, tokens=6 * 3600)
    with pytest.raises(JobError, match=r"cannot be done in time at the measured pace: 1 items, about 4.0 h of work"):
        submitted(queue, tokens=4 * 3600)
    assert [job.job_id for job in queue.jobs()] == [first.job.job_id]

    queue.cancel(first.job.job_id)
    assert submitted(queue, tokens=4 * 3600).job.items_n == 1


@pytest.mark.parametrize("gone", [{"seen_utc": NOW - HOUR}, {"state": "stopped"}])
def test_a_worker_that_is_gone_tells_nothing(queue: Queue, gone: dict[str, Any]) -> None:
    announced(queue, **gone)
    assert submitted(queue, tokens=100 * 3600).notes[0].startswith("No worker is running")


def test_a_schedule_makes_no_job_yet(queue: Queue) -> None:
    order = Order(every="0 6 * * *", within="8h", model="org/model")
    made = submit(queue, order, items_of(["Why?"], limit_tokens=8), now_utc=NOW, margin=0.1)
    (schedule,) = queue.schedules()

    assert queue.jobs() == []
    assert schedule == made.schedule
    assert (schedule.next_utc, schedule.job.items_n) == (NOW.replace(hour=6) + 24 * HOUR, 1)


def test_ids_rise_with_time() -> None:
    ids = [new_job_id(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert all(len(each) == 32 and int(each, 16) for each in ids)
    assert len({new_job_id(NOW) for _ in range(100)}) == 100


def test_the_tasks_that_a_ledger_knows(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.sqlite", spool_path=tmp_path / "spool.sqlite")
    for number, task in enumerate(("summary", None, "question", "summary")):
        ledger.append(sample_request(number, task=task))
    ledger.close()
    engine = open_engine(tmp_path / "ledger.sqlite")
    assert known_tasks(engine) == {"summary", "question"}
    engine.dispose()
