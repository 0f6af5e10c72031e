"""Which jobs' files are still to be written."""

from __future__ import annotations

from typing import Any

import pytest

from sprout_like.errors import JobError
from sprout_like.jobs.job import Failure


def ended(client: Any, **changes: Any) -> str:
    job_id: str = client.submit(**changes)
    client.clock.advance(1)
    client.finish(client.claim(job_id))
    return job_id


def undelivered(client: Any, limit: int = 10) -> list[str]:
    return [job.job_id for job in client.queue.undelivered(limit)]


def test_files_are_to_be_written_until_they_were(client: Any) -> None:
    first, second = ended(client, out="/a.jsonl"), ended(client, out="/b.jsonl")

    assert [(job.job_id, job.out, job.state) for job in client.queue.undelivered(10)] == [
        (second, "/b.jsonl", "done"),
        (first, "/a.jsonl", "done"),
    ]
    assert undelivered(client, 1) == [second]

    client.queue.mark_delivered(second, client.clock.now_utc())
    client.queue.mark_delivered(second, client.clock.now_utc())
    assert undelivered(client, 1) == [first]
    client.queue.mark_delivered(first, client.clock.now_utc())
    assert undelivered(client) == []


def test_a_job_that_failed_has_a_file_too(client: Any) -> None:
    job_id = client.submit(out="/a.jsonl")
    client.queue.finish(client.claim(job_id), [], [Failure(place=0, error="TooLong", for_good=True)])

    assert client.queue.job(job_id).state == "failed"
    assert undelivered(client) == [job_id]


def test_what_has_no_file_or_has_not_ended_or_was_cancelled_is_not_to_be_written(client: Any) -> None:
    ended(client)
    waiting, paused, cancelled, half = (client.submit([8, 8], out=f"/{n}.jsonl") for n in range(4))
    client.queue.pause(paused)
    client.queue.cancel(cancelled)
    claim = client.claim(half)
    client.queue.finish(claim, [], [Failure(place=0, error="TooLong", for_good=True)])
    client.queue.cancel(half)
    client.finish(claim)

    assert undelivered(client) == []
    for job_id, state in ((waiting, "waiting"), (paused, "paused"), (cancelled, "cancelled"), (half, "cancelled")):
        with pytest.raises(JobError, match=f"{job_id} is {state}. Only one that is done or failed can be delivered"):
            client.queue.mark_delivered(job_id, client.clock.now_utc())
    with pytest.raises(JobError, match="no job ffff"):
        client.queue.mark_delivered("ffff", client.clock.now_utc())
    client.finish(client.claim(waiting))
    assert undelivered(client) == [waiting]


def test_a_file_without_its_texts_is_no_longer_to_be_written(client: Any) -> None:
    ended(client, out="/a.jsonl")
    client.clock.advance(60)
    client.queue.forget(before_utc=client.clock.now_utc())

    assert undelivered(client) == []
