"""Claims, answers, crashes and cancellations in any order: nothing is lost, nothing twice, and the sums are right."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from sprout_like.jobs.job import OPEN_STATES, Answer, Claim, Failure, Item, Job
from sprout_like.jobs.queue import Queue, open_queue
from sprout_like.meters.testing import ManualClock

ATTEMPTS = 2
LEASE_S = 60.0


class QueueStates(RuleBasedStateMachine):
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.queue: Queue = open_queue(
            Path(self.folder.name) / "ledger.sqlite", clock=self.clock, attempts=ATTEMPTS, create=True
        )
        self.kept: Counter[int] = Counter()
        self.energy_j = 0.0
        self.holder: dict[int, str] = {}

    @initialize(limits=st.lists(st.integers(1, 3), min_size=1, max_size=9))
    def submit(self, limits: list[int]) -> None:
        now = self.clock.now_utc()
        self.limits = limits
        job = Job(job_id="a" * 32, submitted_utc=now, deadline_utc=now, model="tiny", items_n=len(limits))
        self.job_id = job.job_id
        items = [
            Item(place=place, messages=({"role": "user", "content": "x"},), arguments={"max_new_tokens": limit})
            for place, limit in enumerate(limits)
        ]
        self.queue.submit(job, items)

    @rule(target=claims, most=st.integers(1, 5))
    def claim(self, most: int) -> object:
        state = self.queue.job(self.job_id).state
        before = {attempt.place: attempt.state for attempt in self.queue.attempts(self.job_id)}
        claim = self.queue.claim(self.job_id, "w", most=most, lease_s=LEASE_S)
        if claim is None:
            return multiple()
        assert state == "waiting"
        assert 0 < len(claim.items) <= most
        limits = [item.limit_tokens for item in claim.items]
        assert limits == sorted(limits, reverse=True)
        for item in claim.items:
            assert before[item.place] in ("waiting", "leased")
            self.holder[item.place] = claim.token
        return claim

    @rule(claim=claims, data=st.data())
    def finish(self, claim: Claim, data: st.DataObject) -> None:
        ends = st.sampled_from(["answer", "answer", "fail", "fail for good", "nothing"])
        end = {item.place: data.draw(ends) for item in claim.items}
        before = {attempt.place: attempt.state for attempt in self.queue.attempts(self.job_id)}
        answers = [Answer(place=p, text="y", new_tokens=1, energy_j=2.0) for p, how in end.items() if how == "answer"]
        failures = [
            Failure(place=p, error="E", for_good=how.endswith("good")) for p, how in end.items() if how[0] == "f"
        ]
        is_open = self.queue.job(self.job_id).state in OPEN_STATES

        kept = self.queue.finish(claim, answers, failures)

        held = {p for p in end if self.holder.get(p) == claim.token and before[p] == "leased" and is_open}
        assert kept == len(held & {answer.place for answer in answers})
        self.kept.update(held & {answer.place for answer in answers})
        self.energy_j += 2.0 * kept
        for place in held & {place for place, how in end.items() if how != "nothing"}:
            del self.holder[place]

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        renewed = self.queue.renew(claim, lease_s=LEASE_S)
        assert not renewed or claim.token in self.holder.values()

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        self.queue.release(claim)
        self.holder = {place: token for place, token in self.holder.items() if token != claim.token}

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def pause_or_resume(self) -> None:
        steer = {"waiting": self.queue.pause, "paused": self.queue.resume}.get(self.queue.job(self.job_id).state)
        if steer is not None:
            steer(self.job_id)

    @rule(sure=st.integers(0, 9))
    def cancel(self, sure: int) -> None:
        if sure == 0 and self.queue.job(self.job_id).state in OPEN_STATES:
            self.queue.cancel(self.job_id)

    @invariant()
    def sums_are_those_of_the_items(self) -> None:
        attempts = list(self.queue.attempts(self.job_id))
        states = Counter(attempt.state for attempt in attempts)
        standing, job = self.queue.standing(self.job_id), self.queue.job(self.job_id)
        assert [attempt.place for attempt in attempts] == list(range(len(self.limits)))
        assert (standing.waiting_n, standing.leased_n) == (states["waiting"], states["leased"])
        assert (standing.done_n, standing.failed_n) == (states["done"], states["failed"])
        assert standing.done_tokens == states["done"]
        assert standing.energy_j == (self.energy_j if states["done"] else None)
        left = [a.place for a in attempts if a.state in ("waiting", "leased")]
        assert standing.left_tokens == sum(self.limits[place] for place in left)
        assert {a.place for a in attempts if a.answer is not None} == set(self.kept)
        assert set(self.kept.values()) <= {1}
        if left:
            assert job.state in ("waiting", "paused", "cancelled")
        else:
            assert job.state == ("done" if states["done"] else "failed")
        assert (job.finished_utc is None) == (job.state in OPEN_STATES)

    def teardown(self) -> None:
        if self.queue.job(self.job_id).state != "cancelled":
            self._run_to_the_end()
        self.queue.close()
        self.folder.cleanup()

    def _run_to_the_end(self) -> None:
        if self.queue.job(self.job_id).state == "paused":
            self.queue.resume(self.job_id)
        while self.queue.job(self.job_id).state == "waiting":
            self.clock.advance(3600)
            claim = self.queue.claim(self.job_id, "last", most=4, lease_s=LEASE_S)
            if claim is not None:
                answers = [Answer(place=item.place, text="y", new_tokens=1, energy_j=2.0) for item in claim.items]
                self.kept.update(answer.place for answer in answers)
                self.energy_j += 2.0 * self.queue.finish(claim, answers)
        self.sums_are_those_of_the_items()


TestQueueStates = QueueStates.TestCase
TestQueueStates.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
