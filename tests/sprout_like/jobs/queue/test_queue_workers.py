"""Workers, runs, the plan and recurring jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sprout_like.errors import JobError
from sprout_like.jobs.job import Item, Planned, Run, Schedule, WorkerRecord
from sprout_like.jobs.queue import Queue

HOUR = timedelta(hours=1)


def record(client: Any, worker_id: str = "w1", **changes: Any) -> WorkerRecord:
    now = client.clock.now_utc()
    fields: dict[str, Any] = {"worker_id": worker_id, "host": "a", "pid": 7, "zone": "GB", "model": "tiny"}
    fields |= {"engine": "padded", "schema": "0007", "state": "idle", "started_utc": now, "seen_utc": now}
    return WorkerRecord(**{**fields, **changes})


def test_a_worker_is_known_by_its_last_word(client: Any) -> None:
    now = client.clock.now_utc()
    first = record(client)
    last = record(
        client,
        state="running",
        batch_size=16,
        pace_tokens_per_s=120.5,
        power_w=65.0,
        load_s=3.0,
        load_j=200.0,
        idle_w=20.0,
        outlook=((now, now + HOUR, 180.25), (now + HOUR, now + 2 * HOUR, 90.0)),
    )

    assert not client.queue.announce(first)
    assert not client.queue.announce(last)

    assert client.queue.workers() == [last]


def test_workers_that_were_not_seen_for_a_while_can_be_left_out(client: Any) -> None:
    gone = record(client, "gone")
    client.queue.announce(gone)
    client.clock.advance(300)
    here = record(client, "here")
    client.queue.announce(here)

    assert client.queue.workers() == [gone, here]
    assert client.queue.workers(seen_after_utc=client.clock.now_utc() - timedelta(minutes=1)) == [here]


def test_a_worker_learns_that_it_was_asked_to_stop(client: Any) -> None:
    client.queue.announce(record(client))
    client.queue.announce(record(client, "w2"))

    client.queue.ask_stop("w1")

    assert client.queue.announce(record(client)) is True
    assert client.queue.announce(record(client)) is True
    assert client.queue.announce(record(client, "w2")) is False
    with pytest.raises(JobError, match="no worker w3"):
        client.queue.ask_stop("w3")


def test_a_run_grows(client: Any) -> None:
    job_id, other = client.submit(), client.submit()
    now = client.clock.now_utc()
    run = Run(
        run_id="r" * 32,
        job_id=job_id,
        worker_id="w1",
        zone="GB",
        started_utc=now,
        ended_utc=now,
        items_n=8,
        new_tokens=100,
    )
    grown = replace(run, ended_utc=now + HOUR, items_n=16, new_tokens=3_000_000_000, energy_j=5.5, operational_g=0.1)
    earlier = replace(run, run_id="q" * 32, job_id=other, started_utc=now - HOUR)

    for each in (run, earlier, grown):
        client.queue.record_run(each)

    assert client.queue.runs() == [earlier, grown]
    assert client.queue.runs(job_id) == [grown]


def test_a_plan_replaces_the_one_before(client: Any) -> None:
    job_id, other = client.submit(), client.submit()
    now = client.clock.now_utc()
    late = Planned(job_id=job_id, worker_id="w1", zone="GB", start_utc=now + HOUR, end_utc=now + 2 * HOUR)
    soon = Planned(job_id=other, worker_id="w2", zone="FR", start_utc=now, end_utc=now + HOUR)

    client.queue.plan([soon, soon, soon])
    client.queue.plan([late, soon])

    assert client.queue.planned() == [soon, late]
    assert client.queue.planned(job_id=job_id) == client.queue.planned(worker_id="w1") == [late]
    client.queue.plan([])
    assert client.queue.planned() == []


def test_one_plans_at_a_time(client: Any, engine: Engine) -> None:
    other = Queue(engine, clock=client.clock)
    with client.queue.planning() as mine:
        assert mine
        with other.planning() as others:
            assert not others
        client.queue.plan([])
        with pytest.raises(OSError, match="a planner's own"), client.queue.planning():
            raise OSError("a planner's own error passes as it is")
    with other.planning() as others:
        assert others


def schedule_of(client: Any, items_n: int = 2) -> Schedule:
    now = client.clock.now_utc()
    return Schedule(
        schedule_id="5" * 32,
        cron="0 6 * * *",
        timezone="Europe/London",
        within=timedelta(hours=3, seconds=0.5),
        next_utc=now + HOUR,
        job=client.job(items_n, zones=("GB",), tags={"a": "b"}, earliest_utc=now),
    )


def test_a_schedule_makes_a_job_with_its_items_once_for_each_moment(client: Any, make_items: Any) -> None:
    schedule = schedule_of(client)
    client.queue.add_schedule(schedule, make_items([4, 16]))
    assert client.queue.schedules() == [schedule]
    next_utc = schedule.next_utc + HOUR
    job = client.job(zones=("GB",))

    assert client.queue.fire(schedule, job, next_utc)
    assert not client.queue.fire(schedule, client.job(), next_utc)

    assert client.queue.jobs() == [replace(job, items_n=2, schedule_id=schedule.schedule_id)]
    claim = client.claim(job.job_id)
    assert [(item.place, item.limit_tokens, item.own_id) for item in claim.items] == [
        (1, 16, "mine-1"),
        (0, 4, "mine-0"),
    ]
    assert client.finish(claim) == 2
    assert client.queue.job(job.job_id).state == "done"
    assert client.queue.schedules() == [replace(schedule, next_utc=next_utc)]


def test_an_ended_schedule_makes_no_more_jobs_and_keeps_no_text(client: Any, engine: Engine) -> None:
    schedule = schedule_of(client, 1)
    messages = ({"role": "user", "content": "x"},)
    client.queue.add_schedule(schedule, [Item(place=0, messages=messages, arguments={"max_new_tokens": 8})])

    client.queue.end_schedule(schedule.schedule_id)

    assert not client.queue.fire(schedule, client.job(), schedule.next_utc + HOUR)
    assert client.queue.jobs() == []
    assert client.queue.schedules() == []
    assert client.queue.schedules(active=False) == [replace(schedule, active=False)]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM job_schedule_items")) == 0
    with pytest.raises(JobError, match="no active schedule"):
        client.queue.end_schedule(schedule.schedule_id)


def test_a_schedule_that_cannot_be_leaves_nothing(client: Any, make_items: Any) -> None:
    with pytest.raises(JobError, match="no prompts"):
        client.queue.add_schedule(schedule_of(client), [])
    schedule = schedule_of(client)
    client.queue.add_schedule(schedule, make_items([4]))
    with pytest.raises(JobError):
        client.queue.add_schedule(schedule, make_items([4]))

    assert client.queue.schedules() == [schedule]
