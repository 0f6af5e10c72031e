"""A worker on a real queue: what it runs, when, and that its queue and ledger tell the truth afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from directives import Catalogue, FixedPolicy, Policy
from grid import Grid, Series
from grid.testing import ScriptedSource, reading
from sprout_like.errors import LedgerUnreachable, SettingError
from sprout_like.jobs.job import Item, Job, Schedule
from sprout_like.jobs.queue import Queue, open_queue
from sprout_like.jobs.testing import FakeBatchEngine, fake_answer
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.jobs.working.worker import Progress, Worker
from sprout_like.ledger.testing import MemoryLedger
from sprout_like.meters import Accounts
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.settings import Settings

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Site:
    """A queue in a file, a grid that falls from 300 to 100 g/kWh at 14:00, and time that passes in waits."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.clock = ManualClock(NOW)
        self.queue: Queue = open_queue(str(folder / "ledger.sqlite"), clock=self.clock, create=True)
        stack.callback(self.queue.close)
        self.ledger = MemoryLedger()
        self.accounts = Accounts(FakeMeter([fake_device()], clock=self.clock, watts=50.0), clock=self.clock)
        self.accounts.attach(self.ledger.append, owner=self.ledger.name)
        slots = [reading(300 if n < 4 else 100, start_utc=NOW + timedelta(minutes=30 * n)) for n in range(24)]
        forecast = Series([replace(slot, status="forecast") for slot in slots])
        self.grid = Grid(ScriptedSource(*slots, forecasts=[forecast]), "GB", now_utc=self.clock.now_utc)
        self.grid.refresh()
        self.grid.refresh_outlook()
        self.states: list[Progress] = []

    def submit(self, *texts: str, hours: float = 10.0, **changed: object) -> Job:
        items = [
            Item(place=place, messages=[{"role": "user", "content": text}], arguments={"max_new_tokens": 64})
            for place, text in enumerate(texts)
        ]
        job = Job(
            job_id=f"{len(self.queue.jobs()):032x}",
            submitted_utc=self.clock.now_utc(),
            deadline_utc=self.clock.now_utc() + timedelta(hours=hours),
            model="fake",
            items_n=len(items),
        )
        self.queue.submit(replace(job, **changed), items)
        return self.queue.job(job.job_id)

    def worker(
        self,
        engine: FakeBatchEngine | None = None,
        open_policy: Callable[[str], Policy] = FixedPolicy,
        **options: object,
    ) -> Worker:
        parts = WorkingParts(
            settings=Settings(ledger="unused.sqlite", policy="full"),
            queue=self.queue,
            engine=engine or FakeBatchEngine(token_s=0.5, load_s=2.0, sleep=self.clock.advance),
            grid=self.grid,
            catalogue=Catalogue.builtin(),
            open_policy=open_policy,
            ledger=self.ledger,
            accounts=self.accounts,
            clock=self.clock,
            rng=Random(1),
            session_id="s",
        )
        return Worker(parts, heard=self.states.append, **{"wait": self.wait, **options})

    def wait(self, seconds: float) -> None:
        self.clock.advance(max(seconds, 60.0))

    def answers(self, job: Job) -> list[str | None]:
        return [attempt.answer and attempt.answer.text for attempt in self.queue.attempts(job.job_id)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def right(*texts: str) -> list[str]:
    return [fake_answer([{"role": "user", "content": text}], 64) for text in texts]


def test_a_job_is_answered_and_ends(site) -> None:
    job = site.submit("one", "two", "three")
    done = site.worker(batch_size=2, at_once=True).run(until_empty=True)
    assert site.answers(job) == right("one", "two", "three")
    assert site.queue.job(job.job_id).state == "done"
    assert (done.answered_n, done.failed_n, done.state) == (3, 0, "stopped")
    standing, runs = site.queue.standing(job.job_id), site.queue.runs(job.job_id)
    assert len(runs) == 1
    assert runs[0].items_n == 3
    assert standing.energy_j == pytest.approx(runs[0].energy_j)
    assert standing.operational_g == pytest.approx(runs[0].operational_g)
    assert sum(row.energy_j for row in site.ledger.requests) == pytest.approx(standing.energy_j)


def test_after_a_first_batch_the_rest_waits_for_the_low(site) -> None:
    texts = [f"prompt {n}" for n in range(40)]
    job = site.submit(*texts)
    site.worker(batch_size=4).run(until_empty=True)
    assert site.answers(job) == right(*texts)
    began = [row.started_utc for row in site.ledger.requests]
    assert sum(when < NOW + timedelta(hours=2) for when in began) == 4
    assert site.queue.job(job.job_id).finished_utc < job.deadline_utc
    job = site.queue.job(job.job_id)
    assert job.planned_g < job.at_once_g


def test_the_model_is_given_back_for_the_wait(site) -> None:
    engine = FakeBatchEngine(token_s=0.5, load_s=2.0, sleep=site.clock.advance)
    site.submit(*(f"prompt {n}" for n in range(40)))
    site.worker(engine, batch_size=4).run(until_empty=True)
    assert (engine.loads, engine.unloads) == (2, 2)


def test_a_deadline_before_the_low_is_kept(site) -> None:
    job = site.submit(*(f"prompt {n}" for n in range(40)), hours=1.0)
    site.worker(batch_size=4).run(until_empty=True)
    assert site.queue.job(job.job_id).finished_utc <= job.deadline_utc


def test_a_second_worker_begins_with_the_first_one_s_pace(site) -> None:
    site.submit("one")
    site.worker(at_once=True).run(until_empty=True)
    job = site.submit(*(f"prompt {n}" for n in range(40)))
    site.worker(batch_size=4).run(until_empty=True)
    assert all(run.started_utc >= NOW + timedelta(hours=2) for run in site.queue.runs(job.job_id))


def test_poison_is_set_aside_and_the_job_ends(site) -> None:
    job = site.submit("one", "poison", "three")
    engine = FakeBatchEngine(poison="poison", sleep=site.clock.advance)
    done = site.worker(engine, at_once=True).run(until_empty=True)
    assert site.answers(job) == [*right("one"), None, *right("three")]
    assert (done.answered_n, done.failed_n) == (2, 1)
    assert site.queue.job(job.job_id).state == "done"


def test_an_engine_that_is_down_is_tried_again_and_nothing_is_lost(site) -> None:
    job = site.submit("one", "two")
    engine = FakeBatchEngine(unavailable_times=3, sleep=site.clock.advance)
    site.worker(engine, at_once=True).run(until_empty=True)
    assert site.answers(job) == right("one", "two")
    assert {attempt.attempts for attempt in site.queue.attempts(job.job_id)} <= {0, 1}


def test_a_batch_that_is_too_large_makes_the_next_ones_smaller(site) -> None:
    job = site.submit(*map(str, range(12)))
    engine = FakeBatchEngine(most_prompts=3, sleep=site.clock.advance)
    site.worker(engine, batch_size=8, at_once=True).run(until_empty=True)
    assert site.answers(job) == right(*map(str, range(12)))
    sizes = [len(batch) for batch in engine.batches]
    assert sizes.count(8) == 1


def test_other_jobs_are_left_alone(site) -> None:
    elsewhere = site.submit("one", zones=("FR",))
    other_model = site.submit("two", model="another")
    site.worker(at_once=True).run(until_empty=True)
    assert site.answers(elsewhere) == [None]
    assert site.answers(other_model) == [None]


def test_a_paused_job_waits(site) -> None:
    job = site.submit("one")
    site.queue.pause(job.job_id)
    site.worker(at_once=True).run(until_empty=True)
    assert site.answers(job) == [None]


def test_a_worker_that_is_asked_to_stop_does(site) -> None:
    site.submit(*(f"prompt {n}" for n in range(40)))

    def wait(seconds: float) -> None:
        site.queue.ask_stop(site.queue.workers()[0].worker_id)
        site.wait(seconds)

    worker = site.worker(batch_size=1, wait=wait)
    thread = threading.Thread(target=worker.run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert site.queue.workers()[0].state == "stopped"


def test_a_schedule_s_job_is_made_once_and_run(site) -> None:
    first = Job(job_id="f" * 32, submitted_utc=NOW, deadline_utc=NOW, model="fake", items_n=1)
    item = Item(place=0, messages=[{"role": "user", "content": "daily"}], arguments={"max_new_tokens": 64})
    site.queue.add_schedule(
        Schedule(
            schedule_id="e" * 32,
            cron="0 12 * * *",
            timezone="UTC",
            within=timedelta(hours=4),
            next_utc=NOW,
            job=first,
        ),
        [item],
    )
    site.worker(at_once=True).run(until_empty=True)
    site.worker(at_once=True).run(until_empty=True)
    (job,) = site.queue.jobs()
    assert (job.schedule_id, job.deadline_utc) == ("e" * 32, NOW + timedelta(hours=4))
    assert site.answers(job) == right("daily")
    assert site.queue.schedules()[0].next_utc == NOW + timedelta(days=1)


def test_what_is_heard_ends_with_the_sums(site) -> None:
    site.submit("one", "two")
    worker = site.worker(at_once=True)
    done = worker.run(until_empty=True)
    assert site.states[-1] == done == worker.progress
    assert {"loading", "running", "stopped"} <= {progress.state for progress in site.states}
    assert done.new_tokens == sum(row.new_tokens for row in site.ledger.requests)


def test_a_job_with_a_policy_that_is_none_leaves_the_others(site, caplog) -> None:
    broken = site.submit("one", policy="nosuch", hours=1)
    fine = site.submit("two")
    site.worker(at_once=True, open_policy=_policy).run(until_empty=True)
    assert site.answers(broken) == [None]
    assert site.answers(fine) == right("two")
    assert "cannot be run by this worker: policy" in caplog.text


def _policy(name: str) -> FixedPolicy:
    if name == "nosuch":
        raise SettingError("policy", "'nosuch' is none", "Use another")
    return FixedPolicy(name)


def test_answers_outlive_an_outage_of_the_queue(site) -> None:
    class Shaky:
        """Does not answer the first calls of `finish`."""

        def __init__(self, queue: Queue, failures: int) -> None:
            self._queue = queue
            self.failures = failures

        def __getattr__(self, name: str) -> object:
            return getattr(self._queue, name)

        def finish(self, *args: object) -> int:
            if self.failures:
                self.failures -= 1
                raise LedgerUnreachable("scripted")
            return self._queue.finish(*args)

    job, queue = site.submit("one", "two"), site.queue
    site.queue = Shaky(queue, failures=2)
    engine = FakeBatchEngine(sleep=site.clock.advance)
    site.worker(engine, at_once=True, wait=site.clock.advance).run(until_empty=True)
    assert site.answers(job) == right("one", "two")
    assert len(engine.batches) == 1


def test_what_was_answered_before_the_engine_went_down_is_kept(site) -> None:
    made: list[FakeBatchEngine] = []

    def once_down(asks) -> None:
        if len(made[0].batches) == 3:
            made[0].go_down(1)

    made.append(FakeBatchEngine(most_prompts=4, sleep=site.clock.advance, on_run=once_down))
    job = site.submit(*map(str, range(8)))
    site.worker(made[0], batch_size=8, at_once=True).run(until_empty=True)
    assert site.answers(job) == right(*map(str, range(8)))
    assert [len(batch) for batch in made[0].batches] == [8, 4, 4, 4]


def test_answers_that_are_not_kept_are_not_counted(site) -> None:
    job = site.submit(*map(str, range(4)))
    engine = FakeBatchEngine(token_s=0.5, sleep=site.clock.advance, on_run=lambda _: site.queue.cancel(job.job_id))
    done = site.worker(engine, at_once=True).run(until_empty=True)
    (run,) = site.queue.runs(job.job_id)
    assert (done.answered_n, done.new_tokens, run.items_n, run.new_tokens) == (0, 0, 0, 0)
    assert run.energy_j > 0
