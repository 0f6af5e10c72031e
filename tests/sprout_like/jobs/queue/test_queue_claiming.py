"""Who has which items, and what becomes of those whose worker does not come back."""

from __future__ import annotations

from typing import Any

import pytest

from sprout_like.jobs.job import Failure


def test_items_of_like_length_are_claimed_together_longest_first(client: Any, places: Any) -> None:
    job_id = client.submit([4, 64, 4, 16, 64, 16])

    assert [places(client.claim(job_id, 2)) for _ in range(4)] == [[1, 4], [3, 5], [0, 2], None]


def test_a_claim_says_until_when_and_how_often_before(client: Any) -> None:
    job_id = client.submit([8, 8])
    first = client.claim(job_id, lease_s=60)
    client.queue.finish(first, [], [Failure(place=1, error="Boom")])
    client.clock.advance(30)

    second = client.claim(job_id)

    assert (first.until_utc - client.clock.now_utc()).total_seconds() == 30
    assert first.attempts == {0: 0, 1: 0}
    assert second.attempts == {1: 1}
    assert first.token != second.token


def test_a_lease_that_was_not_renewed_is_lost_and_its_answers_are_refused(client: Any, places: Any) -> None:
    job_id = client.submit([8])
    slow = client.claim(job_id, lease_s=60)
    client.clock.advance(59)
    assert client.claim(job_id, worker_id="w2") is None
    assert client.queue.renew(slow, lease_s=60)
    client.clock.advance(59)
    assert client.claim(job_id, worker_id="w2") is None
    client.clock.advance(1)
    assert client.claim(job_id, worker_id="w2") is None  # lost alone: a failure, so it waits
    client.clock.advance(30)

    quick = client.claim(job_id, worker_id="w2")

    assert places(quick) == [0]
    assert not client.queue.renew(slow, lease_s=60)
    client.queue.release(slow)
    assert client.finish(slow) == 0
    assert client.queue.renew(quick, lease_s=60)
    assert client.finish(quick) == 1
    assert client.finish(slow) == client.finish(quick) == 0
    assert client.queue.standing(job_id).done_n == 1


def test_a_late_answer_counts_while_nobody_else_has_claimed(client: Any) -> None:
    job_id = client.submit([8])
    late = client.claim(job_id, lease_s=60)
    client.clock.advance(3600)

    assert client.queue.renew(late, lease_s=60)
    client.clock.advance(3600)
    assert client.finish(late) == 1


def test_released_items_are_as_if_never_taken(client: Any, places: Any) -> None:
    job_id = client.submit([8, 4])
    client.queue.release(client.claim(job_id))

    again = client.claim(job_id)

    assert (places(again), again.attempts) == ([0, 1], {0: 0, 1: 0})


def test_a_poison_item_goes_alone_and_takes_no_other_with_it(client: Any) -> None:
    """Whoever runs item 5 dies with it; of the other 15 each is answered."""
    job_id = client.submit([8] * 16)
    deaths = 0
    while client.queue.job(job_id).state == "waiting":
        claim = client.claim(job_id, 8)
        if claim is None:
            client.clock.advance(120)
        elif 5 in [item.place for item in claim.items]:
            deaths += 1
        else:
            client.finish(claim)

    assert client.states(job_id) == "ddddd" + "f" + "d" * 10
    assert deaths == 3 + 3
    poison = list(client.queue.attempts(job_id))[5]
    assert (poison.attempts, poison.error) == (6, "LeaseLost: the worker that ran it alone did not come back")
    standing = client.queue.standing(job_id)
    assert (standing.done_n, standing.failed_n, standing.left_tokens) == (15, 1, 0)


def test_what_was_lost_in_company_is_no_failure(client: Any, places: Any) -> None:
    job_id = client.submit([8] * 4)
    for expected in ([0, 1, 2, 3], [0, 1]):
        assert places(client.claim(job_id, 4)) == expected
        client.clock.advance(120)

    assert places(client.claim(job_id, 4)) == [0]
    assert client.states(job_id) == "lwww"


def test_a_cancelled_job_keeps_nothing_and_a_paused_one_keeps_answers(client: Any) -> None:
    cancelled, paused = client.submit([8, 8]), client.submit([8, 8])
    of_cancelled, of_paused = client.claim(cancelled), client.claim(paused)
    client.queue.cancel(cancelled)
    client.queue.pause(paused)

    assert not client.queue.renew(of_cancelled, lease_s=60)
    assert client.queue.renew(of_paused, lease_s=60)
    assert client.finish(of_cancelled) == 0
    assert client.finish(of_paused) == 2
    assert client.states(cancelled) == "ww"
    assert client.queue.job(cancelled).state == "cancelled"
    assert client.queue.job(paused).state == "done"


@pytest.mark.parametrize("wait_s", [29.9, 30.0])
def test_a_failed_item_waits_before_it_is_tried_again(client: Any, places: Any, wait_s: float) -> None:
    job_id = client.submit([8, 4])
    client.queue.finish(client.claim(job_id, 1), [], [Failure(place=0, error="Boom")])
    client.clock.advance(wait_s)

    assert places(client.claim(job_id)) == ([0, 1] if wait_s >= 30 else [1])
