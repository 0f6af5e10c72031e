"""How items and jobs end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from sprout_like.jobs.job import Answer, Failure
from sprout_like.jobs.queue import Queue


def test_answers_and_what_they_took_are_kept_and_added_up(client: Any, places: Any) -> None:
    job_id = client.submit([10, 10, 20])
    full = Answer(
        place=2,
        text="yes",
        request_id="a" * 32,
        directive="brief",
        prompt_tokens=5,
        new_tokens=7,
        finish_reason="stop",
        energy_j=1.5,
        energy_method="apportioned",
        operational_g=0.25,
    )
    bare = Answer(place=0, text="no")

    assert client.queue.finish(client.claim(job_id, 2), [full, bare]) == 2

    kept = list(client.queue.attempts(job_id))
    assert [attempt.answer for attempt in kept] == [bare, None, full]
    assert [(attempt.state, attempt.attempts, attempt.own_id) for attempt in kept] == [
        ("done", 1, "mine-0"),
        ("waiting", 0, "mine-1"),
        ("done", 1, "mine-2"),
    ]
    standing = client.queue.standing(job_id)
    assert (standing.waiting_n, standing.done_n, standing.done_tokens) == (1, 2, 7)
    assert (standing.left_tokens, standing.done_limit_tokens) == (10, 30)
    assert (standing.energy_j, standing.operational_g) == (1.5, 0.25)


def test_what_nobody_knows_stays_unknown(client: Any) -> None:
    job_id = client.submit([8, 8])
    client.finish(client.claim(job_id, 1))
    assert client.queue.standing(job_id).energy_j is None

    client.finish(client.claim(job_id, 1), energy_j=0.0)
    assert client.queue.standing(job_id).energy_j == 0.0
    assert client.queue.standing(job_id).operational_g is None


def test_a_job_ends_with_its_last_item(client: Any) -> None:
    job_id = client.submit([8, 8])
    client.finish(client.claim(job_id, 1))
    assert client.queue.job(job_id).state == "waiting"
    client.clock.advance(5)

    client.queue.finish(client.claim(job_id, 1), [], [Failure(place=1, error="TooLong", for_good=True)])

    job = client.queue.job(job_id)
    assert (job.state, job.finished_utc) == ("done", client.clock.now_utc())
    assert client.states(job_id) == "df"
    assert client.claim(job_id) is None


def test_a_job_without_any_answer_has_failed(client: Any) -> None:
    job_id = client.submit([8])

    client.queue.finish(client.claim(job_id), [], [Failure(place=0, error="TooLong", for_good=True)])

    assert client.queue.job(job_id).state == "failed"
    assert next(client.queue.attempts(job_id)).error == "TooLong"


def test_an_item_is_set_aside_after_so_many_attempts_each_later_than_the_last(client: Any, engine: Engine) -> None:
    queue = Queue(engine, clock=client.clock, attempts=9)
    job_id = client.submit([8])
    waits = []
    while queue.job(job_id).state == "waiting":
        claim, waited_s = queue.claim(job_id, "w1", most=1, lease_s=60), 0
        while claim is None:
            client.clock.advance(30)
            waited_s += 30
            claim = queue.claim(job_id, "w1", most=1, lease_s=60)
        waits.append(waited_s)
        queue.finish(claim, [], [Failure(place=0, error=f"Boom {len(waits)}")])

    assert waits == [0, 30, 60, 120, 240, 480, 960, 1920, 3600]
    [attempt] = queue.attempts(job_id)
    assert (attempt.state, attempt.attempts, attempt.error) == ("failed", 9, "Boom 9")


@pytest.mark.parametrize(
    ("left_s", "waits_s"),
    [(100, 25), (120, 30), (8, 2), (2, 1), (0.5, 1), (0, 30), (-3600, 30)],
    ids=["a quarter", "as ever", "short", "not less than 1 s", "nor then", "at the deadline", "after it"],
)
def test_a_retry_leaves_time_before_the_deadline(client: Any, left_s: float, waits_s: float) -> None:
    job_id = client.submit([8], deadline_utc=client.clock.now_utc() + timedelta(seconds=left_s))
    client.queue.finish(client.claim(job_id), [], [Failure(place=0, error="Boom")])

    client.clock.advance(waits_s - 0.01)
    assert client.claim(job_id) is None
    client.clock.advance(0.01)
    assert client.claim(job_id) is not None


def test_after_the_deadline_no_retry_waits_for_longer_than_the_first(client: Any, engine: Engine) -> None:
    queue = Queue(engine, clock=client.clock, attempts=9)
    job_id = client.submit([8], deadline_utc=client.clock.now_utc())
    for _ in range(5):
        queue.finish(queue.claim(job_id, "w1", most=1, lease_s=60), [], [Failure(place=0, error="Boom")])
        client.clock.advance(30)

    assert queue.claim(job_id, "w1", most=1, lease_s=60) is not None


def test_nor_does_one_whose_worker_did_not_come_back(client: Any) -> None:
    job_id = client.submit([8], deadline_utc=client.clock.now_utc() + timedelta(seconds=40))
    client.claim(job_id, lease_s=20)
    client.clock.advance(20)
    assert client.claim(job_id) is None

    client.clock.advance(5)
    assert client.claim(job_id) is not None


def test_an_answer_after_a_failure_clears_the_error(client: Any) -> None:
    job_id = client.submit([8])
    client.queue.finish(client.claim(job_id), [], [Failure(place=0, error="Boom")])
    client.clock.advance(30)
    client.finish(client.claim(job_id))

    [attempt] = client.queue.attempts(job_id)
    assert (attempt.state, attempt.error, attempt.attempts) == ("done", None, 2)


def test_items_that_are_not_named_stay_on_lease(client: Any, make_answer: Any) -> None:
    job_id = client.submit([8, 8])
    claim = client.claim(job_id)

    assert client.queue.finish(claim, [make_answer(0)]) == 1
    assert client.states(job_id) == "dl"
    assert client.queue.finish(claim, [make_answer(0), make_answer(1)]) == 1
    assert client.states(job_id) == "dd"


def test_places_of_others_and_repeated_ones_are_not_counted(client: Any, make_answer: Any) -> None:
    job_id = client.submit([8, 8, 8])
    mine, others = client.claim(job_id, 2), client.claim(job_id, 1, worker_id="w2")

    kept = client.queue.finish(mine, [make_answer(0), make_answer(0), make_answer(2)], [Failure(place=0, error="x")])

    assert kept == 1
    assert client.states(job_id) == "dll"
    assert client.finish(others) == 1


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "✓" * 10_000])
def test_whatever_a_model_writes_can_be_stored(client: Any, make_answer: Any, text: str) -> None:
    job_id = client.submit([8])

    assert client.queue.finish(client.claim(job_id), [make_answer(0, text=text)]) == 1

    [attempt] = client.queue.attempts(job_id)
    assert len(attempt.answer.text) == len(text)


def test_whatever_an_error_says_can_be_stored(client: Any) -> None:
    job_id = client.submit([8])

    client.queue.finish(client.claim(job_id), [], [Failure(place=0, error="a\0\ud800" * 1000, for_good=True)])

    assert client.states(job_id) == "f"
