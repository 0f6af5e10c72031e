"""A queue on either database with a clock of its own, and jobs to put into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from sprout_like.jobs.job import Answer, Claim, Item, Job
from sprout_like.jobs.queue import Queue
from sprout_like.meters.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(engine: Engine, clock: ManualClock) -> Queue:
    return Queue(engine, clock=clock)


class Client:
    """What a user and a worker do, in short words."""

    def __init__(self, queue: Queue, clock: ManualClock) -> None:
        self.queue = queue
        self.clock = clock
        self._jobs_n = 0

    def job(self, items_n: int = 1, **changes: Any) -> Job:
        """A job that is not in the queue yet."""
        self._jobs_n += 1
        now = self.clock.now_utc()
        job_id = f"{self._jobs_n:08x}{0:024x}"
        fields = {"job_id": job_id, "submitted_utc": now, "deadline_utc": now + timedelta(hours=8), "model": "tiny"}
        return Job(**{**fields, "items_n": items_n, **changes})

    def submit(self, limits: Sequence[int] = (8,), **changes: Any) -> str:
        """The id of a job with an item for each limit."""
        job = self.job(len(limits), **changes)
        self.queue.submit(job, items(limits))
        return job.job_id

    def claim(self, job_id: str, most: int = 32, *, worker_id: str = "w1", lease_s: float = 120) -> Claim | None:
        return self.queue.claim(job_id, worker_id, most=most, lease_s=lease_s)

    def finish(self, claim: Claim, **figures: Any) -> int:
        return self.queue.finish(claim, [answer(item.place, **figures) for item in claim.items])

    def states(self, job_id: str) -> str:
        """First letters of its items' states, by place."""
        return "".join(attempt.state[0] for attempt in self.queue.attempts(job_id))


def items(limits: Sequence[int]) -> list[Item]:
    return [
        Item(
            place=place,
            messages=({"role": "user", "content": f"prompt {place}"},),
            arguments={"max_new_tokens": limit},
            own_id=f"mine-{place}",
        )
        for place, limit in enumerate(limits)
    ]


def answer(place: int, **figures: Any) -> Answer:
    return Answer(**{"place": place, "text": f"answer {place}", "new_tokens": 4, **figures})


@pytest.fixture
def client(queue: Queue, clock: ManualClock) -> Client:
    return Client(queue, clock)


@pytest.fixture(scope="session")
def new_client() -> type[Client]:
    return Client


@pytest.fixture(scope="session")
def make_items() -> Callable[[Sequence[int]], list[Item]]:
    """Items with these limits."""
    return items


@pytest.fixture(scope="session")
def make_answer() -> Callable[..., Answer]:
    """An answer to the item at a place."""
    return answer


@pytest.fixture(scope="session")
def places() -> Callable[[Claim | None], list[int] | None]:
    """Places of a claim's items, in their order."""
    return lambda claim: None if claim is None else [item.place for item in claim.items]
