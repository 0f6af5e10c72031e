"""A worker: runs jobs of one model when it is time. Read `Worker.run` and `Worker._step` top to bottom."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sprout_like.background import Background
from sprout_like.errors import EngineUnavailable, LedgerUnreachable, SettingError
from sprout_like.jobs.engines.batching import BatchSize
from sprout_like.jobs.job import RUNNABLE, Claim, Job, Run, WorkerState
from sprout_like.jobs.working.batch import BatchDone, BatchRunner
from sprout_like.jobs.working.deciding import Here, Move, next_move, suits
from sprout_like.jobs.working.ending import Delivery, Forgetting, finished
from sprout_like.jobs.working.firing import fire_due
from sprout_like.jobs.working.model import Model
from sprout_like.jobs.working.pace import work_tokens
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.jobs.working.planner import Planner
from sprout_like.jobs.working.presence import Condition, Presence

__all__ = ["Progress", "Worker"]

_LOG = logging.getLogger("sprout_like")

_RETRY_S: Final = (2.0, 60.0)
"""First and longest wait where the queue or the engine does not answer; each is twice the one before."""

_ONE_RUN: Final = timedelta(seconds=60)
"""Batches of one job with a shorter break between them are one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a worker has done, and what it is at.

    Attributes:
        state: as announced. reason: why it runs or waits. job_id: what it runs; None while it waits.
        until_utc: when something is planned next; None where nothing is.
        answered_n, failed_n, new_tokens: since it began. energy_j, operational_g: of the batches, None where unknown.
        tokens_per_s: its pace; None until it is known.
    """

    state: WorkerState
    reason: str = ""
    job_id: str | None = None
    until_utc: datetime | None = None
    answered_n: int = 0
    failed_n: int = 0
    new_tokens: int = 0
    energy_j: float | None = 0.0
    operational_g: float | None = 0.0
    tokens_per_s: float | None = None


class Worker:
    """Claims items of jobs of its engine's model when a plan or a deadline says so, and answers them.

    What it does survives it: after `kill -9`, its items are claimed by others as soon as their lease has run out.

    Args:
        parts: what it works with.
        batch_size: items at a time; None looks for the best.
        at_once: whether to heed no plan.
        poll_s: time between looks at the queue while there is nothing to do, in s.
        heard: told of each change, for a display.
        wait: takes seconds; None waits until then or until `stop`.
    """

    def __init__(
        self,
        parts: WorkingParts,
        *,
        batch_size: int | None = None,
        at_once: bool = False,
        poll_s: float = 2.0,
        heard: Callable[[Progress], object] = lambda _: None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._parts = parts
        self._at_once = at_once
        self._poll_s = poll_s
        self._heard = heard
        self.worker_id: Final = uuid.uuid4().hex
        size = BatchSize() if batch_size is None else BatchSize(now=batch_size, most=batch_size, wanted=batch_size)
        self._now = Condition(size)
        self._presence = Presence(parts, self.worker_id, self._now, self.stop)
        self._runner = BatchRunner(parts)
        self._model = Model(parts.engine, parts.clock, self._runner.open_window, self._now)
        self._planner = Planner(
            parts.queue, parts.clock, margin=parts.settings.job_margin, lease_s=parts.settings.job_lease_s
        )
        self._delivery = Delivery(parts.queue)
        self._forgetting = Forgetting(parts.queue, keep_days=parts.settings.job_keep_days)
        self._run: Run | None = None
        self._unfit: set[str] = set()
        self._stopping = threading.Event()
        self._wait_s = wait or self._stopping.wait
        self.progress = Progress(state="idle")

    def run(self, *, until_empty: bool = False) -> Progress:
        """Work until `stop` is called, or, if asked, until no open job is left that it could run.

        Raises:
            LedgerVersionError: the ledger has another schema than this release knows.
        """
        self._now.pace = self._presence.earlier_pace()
        beat = Background({"worker": self._presence.beat_meanwhile})
        wait_s = _RETRY_S[0]
        try:
            while not self._stopping.is_set():
                try:
                    if self._step() or not (until_empty and self._is_empty()):
                        wait_s = _RETRY_S[0]
                        continue
                    break
                except (EngineUnavailable, LedgerUnreachable) as exc:
                    _LOG.warning("%s. Tried again in %g s", exc, wait_s)
                    self._give_back()
                    self._now.loaded = False
                    self._wait_s(wait_s)
                    wait_s = min(2 * wait_s, _RETRY_S[1])
        finally:
            beat.close()
            self._end()
        return self.progress

    def stop(self) -> None:
        """End after the batch under way; safe to call from a signal handler, and twice."""
        self._stopping.set()

    def _step(self) -> bool:
        """One batch, or a short wait; whether a batch was run."""
        queue, settings, now_utc = self._parts.queue, self._parts.settings, self._parts.clock.now_utc()

        # 1 announce, so that the planner knows this worker; jobs of schedules; a plan where one is due
        self._presence.beat()
        fire_due(queue, now_utc)
        self._planner.tick()
        self._delivery.tick(now_utc)
        self._forgetting.tick(now_utc)

        # 2 decide
        jobs = {job.job_id: job for job in queue.jobs(states=RUNNABLE) if job.job_id not in self._unfit}
        standings = queue.standings(jobs)
        here = self._here()
        move = next_move(
            here,
            jobs.values(),
            queue.planned(worker_id=self.worker_id),
            {job_id: work_tokens(standing) for job_id, standing in standings.items()},
            now_utc,
            at_once=self._at_once,
            margin=settings.job_margin,
        )

        # 3 claim: the first of these jobs that has items to give
        for job_id in move.jobs:
            claim = queue.claim(job_id, self.worker_id, most=self._now.size.now, lease_s=settings.job_lease_s)
            if claim is not None:
                self._now.claim = claim
                self._run_batch(jobs[job_id], claim, move)
                return True
        self._wait(move)
        return False

    def _run_batch(self, job: Job, claim: Claim, move: Move) -> None:
        queue = self._parts.queue

        # 4 load, where the model is not in memory
        if not self._now.loaded:
            self._tell(state="loading", reason="loading the model")
            self._model.load()
        self._tell(state="running", reason=move.reason, job_id=job.job_id, until_utc=None)
        started_utc = self._parts.clock.now_utc()

        # 5 run: rows are written here, answers below
        try:
            done = self._runner.run(job, claim)
        except SettingError as exc:
            _LOG.warning("job %s cannot be run by this worker: %s", job.job_id[:12], exc)
            self._unfit.add(job.job_id)
            self._give_back()
            return
        self._learn(done, len(claim.items))

        # 6 finish: answers and states in one transaction; what somebody else has claimed since is theirs
        self._now.claim = claim if done.unavailable else None
        lease_s = self._parts.settings.job_lease_s
        kept = finished(queue, claim, done, clock=self._parts.clock, wait=self._wait_s, lease_s=lease_s)
        self._delivery.tick(self._parts.clock.now_utc(), due=True)
        self._book(job, done, kept, started_utc)
        if done.unavailable is not None:
            raise done.unavailable

    def _learn(self, done: BatchDone, rows: int) -> None:
        now = self._now
        now.pace = now.pace.after_batch(tokens=done.new_tokens, time_s=done.time_s, energy_j=done.energy_j)
        if done.most is not None:
            now.size = now.size.after_too_large(2 * done.most)
        elif not done.failures and done.time_s > 0:
            now.size = now.size.after(rows, done.new_tokens / done.time_s)

    def _book(self, job: Job, done: BatchDone, kept: int, started_utc: datetime) -> None:
        """Into the run and the sums; of answers that are not kept, the energy alone."""
        now_utc, run = self._parts.clock.now_utc(), self._run
        new_tokens = round(done.new_tokens * kept / len(done.answers)) if done.answers else 0
        if run is None or run.job_id != job.job_id or started_utc - run.ended_utc > _ONE_RUN:
            run = Run(
                run_id=uuid.uuid4().hex,
                job_id=job.job_id,
                worker_id=self.worker_id,
                zone=self._parts.grid.zone,
                started_utc=started_utc,
                ended_utc=started_utc,
                items_n=0,
                new_tokens=0,
                energy_j=0.0,
                operational_g=0.0,
            )
        self._run = replace(
            run,
            ended_utc=now_utc,
            items_n=run.items_n + kept + len(done.failures),
            new_tokens=run.new_tokens + new_tokens,
            energy_j=_sum(run.energy_j, done.energy_j),
            operational_g=_sum(run.operational_g, done.operational_g),
        )
        self._parts.queue.record_run(self._run)
        self._tell(
            answered_n=self.progress.answered_n + kept,
            failed_n=self.progress.failed_n + len(done.failures),
            new_tokens=self.progress.new_tokens + new_tokens,
            energy_j=_sum(self.progress.energy_j, done.energy_j),
            operational_g=_sum(self.progress.operational_g, done.operational_g),
            tokens_per_s=self._now.pace.tokens_per_s,
        )

    def _wait(self, move: Move) -> None:
        if move.unload and self._now.loaded:
            self._model.unload()
        state: WorkerState = "loaded" if self._now.loaded else "idle"
        self._tell(state=state, reason=move.reason, job_id=None, until_utc=move.until_utc)
        if self._now.loaded:
            self._model.idle(self._wait_s, self._poll_s)
        else:
            self._wait_s(self._poll_s)

    def _here(self) -> Here:
        parts = self._parts
        return Here(
            worker_id=self.worker_id,
            zone=parts.grid.zone,
            model=parts.engine.model,
            engine=parts.engine.name,
            tokens_per_s=self._now.pace.tokens_per_s,
            loaded=self._now.loaded,
            together_tokens_per_s=self._presence.together_tokens_per_s(),
            idle_w=self._now.idle_w,
            load_j=self._now.pace.load_j,
        )

    def _is_empty(self) -> bool:
        here = self._here()
        waiting = self._parts.queue.jobs(states=RUNNABLE)
        return not any(suits(job, here) and job.job_id not in self._unfit for job in waiting)

    def _give_back(self) -> None:
        claim, self._now.claim = self._now.claim, None
        if claim is not None:
            with suppress(LedgerUnreachable):  # the lease runs out by itself
                self._parts.queue.release(claim)

    def _end(self) -> None:
        self._give_back()
        self._tell(state="stopped", reason="stopped", job_id=None, until_utc=None)
        self._presence.last_word()

    def _tell(self, **changed: object) -> None:
        self.progress = replace(self.progress, **changed)  # type: ignore[arg-type]
        self._now.state = self.progress.state
        self._heard(self.progress)


def _sum(one: float | None, other: float | None) -> float | None:
    """None where either is unknown: a sum without it would look whole."""
    return None if one is None or other is None else one + other
