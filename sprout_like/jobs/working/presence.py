"""How a worker is seen by others: its heart-beat, what it says of itself, and the lease of what it holds."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sprout_like.errors import LedgerUnreachable
from sprout_like.jobs.engines.batching import BatchSize
from sprout_like.jobs.job import Claim, WorkerRecord, WorkerState
from sprout_like.jobs.working.pace import Pace
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.ledger.migrate import HEAD

__all__ = ["ALIVE", "Condition", "Presence"]

_LOG = logging.getLogger("sprout_like")

ALIVE: Final = timedelta(seconds=90)
"""A worker that has not been seen for so long is counted on no more."""

_BEAT_S: Final = 10.0


@dataclass(slots=True)
class Condition:
    """What changes about a worker; written by its own thread, read by the clock's.

    Attributes:
        state: as announced. loaded: whether the model is in memory. claim: what it holds; None for nothing.
        pace, size: as measured so far. idle_w: draw of the loaded model that waits; None until it was measured.
    """

    size: BatchSize
    state: WorkerState = "idle"
    loaded: bool = False
    claim: Claim | None = None
    pace: Pace = field(default_factory=Pace)
    idle_w: float | None = None


class Presence:
    """Announces a worker and renews its lease.

    Args:
        parts: what it works with.
        worker_id: its id.
        condition: how it is.
        stop: called when somebody asked it to stop.
    """

    def __init__(self, parts: WorkingParts, worker_id: str, condition: Condition, stop: Callable[[], object]) -> None:
        self._parts = parts
        self._worker_id = worker_id
        self._condition = condition
        self._stop = stop
        self._host = socket.gethostname()
        self._started_utc = parts.clock.now_utc()
        self._beaten_s = -_BEAT_S
        self._told: tuple[WorkerState, bool] | None = None

    def beat(self) -> None:
        """Announce it, every few seconds, and at once where its state has changed or its pace has become known.

        Raises:
            LedgerUnreachable: the database does not answer.
        """
        condition, settings, now_s = self._condition, self._parts.settings, self._parts.clock.monotonic_s()
        now_told = condition.state, condition.pace.tokens_per_s is not None
        if now_s - self._beaten_s < min(_BEAT_S, settings.job_lease_s / 4) and now_told == self._told:
            return
        self._beaten_s, self._told = now_s, now_told
        claim = condition.claim
        if claim is not None:
            # Where it was lost, `finish` keeps nothing of it.
            self._parts.queue.renew(claim, lease_s=settings.job_lease_s)
        if self._parts.queue.announce(self._record()):
            self._stop()

    def beat_meanwhile(self) -> None:
        """From the clock's thread, while a batch runs."""
        try:
            self.beat()
        except LedgerUnreachable as exc:
            _LOG.info("%s. This worker is announced again as soon as it answers", exc)

    def last_word(self) -> None:
        """Say that it has stopped."""
        try:
            self._parts.queue.announce(self._record())
        except LedgerUnreachable as exc:
            _LOG.warning("%s. The queue still shows this worker", exc)

    def together_tokens_per_s(self) -> float | None:
        """Pace of all workers of this model and zone that are alive; None where none is known."""
        alive = self._parts.queue.workers(seen_after_utc=self._parts.clock.now_utc() - ALIVE)
        model, zone = self._parts.engine.model, self._parts.grid.zone
        paces = [w.pace_tokens_per_s or 0.0 for w in alive if (w.model, w.zone) == (model, zone)]
        return sum(paces) or None

    def earlier_pace(self) -> Pace:
        """That of the last worker of this model on this machine; an unknown one where there was none."""
        engine = self._parts.engine
        alike = [
            worker
            for worker in self._parts.queue.workers()
            if (worker.host, worker.model, worker.engine) == (self._host, engine.model, engine.name)
            and worker.pace_tokens_per_s
        ]
        last = max(alike, key=lambda worker: worker.seen_utc, default=None)
        if last is None or not last.pace_tokens_per_s:
            return Pace()
        return Pace.known(last.pace_tokens_per_s, last.power_w, load_s=last.load_s, load_j=last.load_j)

    def _record(self) -> WorkerRecord:
        parts, condition, pace = self._parts, self._condition, self._condition.pace
        series = parts.grid.outlook().series
        return WorkerRecord(
            worker_id=self._worker_id,
            host=self._host,
            pid=os.getpid(),
            zone=parts.grid.zone,
            model=parts.engine.model,
            engine=parts.engine.name,
            schema=HEAD,
            state=condition.state,
            started_utc=self._started_utc,
            seen_utc=parts.clock.now_utc(),
            batch_size=condition.size.now,
            pace_tokens_per_s=pace.tokens_per_s,
            power_w=pace.power_w,
            load_s=pace.load_s,
            load_j=pace.load_j,
            idle_w=condition.idle_w,
            outlook=tuple((each.start_utc, each.end_utc, each.g_per_kwh) for each in series or ()),
        )
