"""Jobs of a `CarbonAware`: its prompts into the queue of its ledger, and a worker on its model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sprout_like.clock import Clock
from sprout_like.errors import JobError, SettingError
from sprout_like.jobs.handle import JobHandle
from sprout_like.policies import check_policy

if TYPE_CHECKING:
    from sprout_like.jobs.queue import Queue
    from sprout_like.jobs.submitting.submission import Order
    from sprout_like.jobs.working.worker import Progress, Worker
    from sprout_like.parts import Parts

__all__ = ["LazyQueue", "submitted", "worker_of"]


class LazyQueue:
    """The queue in a ledger, opened when it is first asked for.

    Args:
        spec: the ledger's path or URL. is_object: whether it was given as an object, which has no queue.
        clock: time. attempts: how often an item is tried.
    """

    def __init__(self, spec: Any, *, is_object: bool, clock: Clock, attempts: int) -> None:
        self._spec = spec
        self._is_object = is_object
        self._clock = clock
        self._attempts = attempts
        self._opening = threading.Lock()
        self._queue: Queue | None = None

    def get(self) -> Queue:
        """The queue.

        Raises:
            SettingError: the ledger was given as an object, or cannot be used.
            LedgerError: it does not answer.
        """
        if self._is_object:
            raise SettingError(
                "ledger", "jobs need a database, and the ledger was given as an object", "Give it as a path or URL"
            )
        with self._opening:
            if self._queue is None:
                from sprout_like.jobs.queue import open_queue

                self._queue = open_queue(self._spec, clock=self._clock, attempts=self._attempts, create=True)
            return self._queue

    def close(self) -> None:
        """Close it, if it was opened; safe to call twice."""
        with self._opening:
            queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()


def submitted(
    parts: Parts,
    prompts: Iterable[str | Sequence[Mapping[str, str]] | Mapping[str, Any]],
    order: Order,
    *,
    limit_tokens: int,
    template: Mapping[str, Any] | None,
) -> JobHandle:
    """Put prompts into the queue.

    Raises:
        JobError, SettingError: see `CarbonAware.submit`.
    """
    from sprout_like.jobs.submitting.items import items_of
    from sprout_like.jobs.submitting.submit import submit

    if order.every is not None:
        raise JobError("every: a recurring job outlives this process. Make it by `sprout-like jobs submit --every`")
    if order.policy is not None:
        check_policy(order.policy, parts.catalogue, parts.settings)
    queue = parts.queue.get()
    made = submit(
        queue,
        order,
        items_of(prompts, limit_tokens=limit_tokens, template=template),
        now_utc=parts.clock.now_utc(),
        margin=parts.settings.job_margin,
        models={parts.engine.model},
    )
    return JobHandle(queue, made.job.job_id, made.notes)


def worker_of(
    parts: Parts, *, batch_size: int | None, at_once: bool, heard: Callable[[Progress], object] | None
) -> Worker:
    """A worker on the wrapped model, which stays the caller's.

    Raises:
        SettingError, LedgerError: the queue cannot be used.
    """
    from sprout_like.jobs.engines.in_process import open_in_process
    from sprout_like.jobs.working.parts import WorkingParts
    from sprout_like.jobs.working.worker import Worker

    working = WorkingParts(
        settings=parts.settings,
        queue=parts.queue.get(),
        engine=open_in_process((parts.model, parts.tokenizer), name=parts.engine.model),
        grid=parts.grid,
        catalogue=parts.catalogue,
        open_policy=parts.open_policy,
        ledger=parts.ledger,
        accounts=parts.accounts,
        clock=parts.clock,
        rng=parts.rng,
        session_id=parts.session_id,
    )
    return Worker(working, batch_size=batch_size, at_once=at_once, heard=heard or (lambda _: None))
