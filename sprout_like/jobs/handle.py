"""A job in Python: what `CarbonAware.submit` gives back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sprout_like.jobs.job import OPEN_STATES, Attempt, Job, Standing

if TYPE_CHECKING:
    from sprout_like.jobs.queue import Queue

__all__ = ["JobHandle"]

_LOOK_S = 0.5


class JobHandle:
    """Looks a job up in the queue. Lives as long as what made it is not closed.

    Attributes:
        job_id: 32 hex digits; `sprout-like jobs show` takes it too.
        notes: what was worth knowing at submission, a sentence each.
    """

    def __init__(self, queue: Queue, job_id: str, notes: tuple[str, ...] = ()) -> None:
        self._queue = queue
        self.job_id = job_id
        self.notes = notes

    def job(self) -> Job:
        """The job as it is now."""
        return self._queue.job(self.job_id)

    def standing(self) -> Standing:
        """How far it is."""
        return self._queue.standing(self.job_id)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; whether it has. None waits for ever; a worker must run somewhere."""
        ended = threading.Event()
        left_s = timeout_s
        while self.job().state in OPEN_STATES:
            if left_s is not None and left_s <= 0:
                return False
            ended.wait(_LOOK_S if left_s is None else min(_LOOK_S, left_s))
            left_s = None if left_s is None else left_s - _LOOK_S
        return True

    def results(self) -> Iterator[Attempt]:
        """Every item with its answer or its error, in the order of submission; see `Attempt`."""
        return self._queue.attempts(self.job_id)

    def cancel(self) -> Job:
        """Take it back; answers that there are stay.

        Raises:
            JobError: it has ended already.
        """
        return self._queue.cancel(self.job_id)

    def __repr__(self) -> str:
        return f"JobHandle({self.job_id})"
