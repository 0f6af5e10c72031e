"""A batch of a job: each item's draw, row, share of the energy and answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from directives import Catalogue, FixedPolicy, Observation, Policy
from grid import Grid
from grid.testing import ScriptedSource
from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.job import Claim, Item, Job
from sprout_like.jobs.testing import FakeBatchEngine, fake_answer
from sprout_like.jobs.working.batch import BatchRunner
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.ledger.audit import Audit
from sprout_like.ledger.testing import MemoryLedger
from sprout_like.meters import Accounts
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.settings import Settings

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
JOB = Job(job_id="j" * 32, submitted_utc=NOW, deadline_utc=NOW + timedelta(hours=8), model="fake", task="question")


class Bench:
    """A runner with a ledger in memory, a meter of 50 W and time that only the engine spends."""

    def __init__(self, engine: Callable[[ManualClock], FakeBatchEngine], policy: Policy | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.ledger = MemoryLedger()
        self.accounts = Accounts(FakeMeter([fake_device()], clock=self.clock, watts=50.0), clock=self.clock)
        self.accounts.attach(self.ledger.append, owner=self.ledger.name)
        self.engine = engine(self.clock)
        grid = Grid(ScriptedSource(200.0), "GB", now_utc=self.clock.now_utc)
        grid.refresh()
        self.parts = WorkingParts(
            settings=Settings(ledger="unused.sqlite", policy="full"),
            queue=None,  # a runner leaves the queue to its caller
            engine=self.engine,
            grid=grid,
            catalogue=Catalogue.builtin(),
            open_policy=lambda name: policy or FixedPolicy(name),
            ledger=self.ledger,
            accounts=self.accounts,
            clock=self.clock,
            rng=Random(1),
            session_id="s",
        )
        self.runner = BatchRunner(self.parts)

    def run(self, *texts: str, **changed: object):
        return self.runner.run(JOB, claim(*texts, **changed))

    def audit(self):
        self.accounts.detach(self.ledger.name)
        audit = Audit(tolerance=0.01, now_utc=NOW)
        for account in self.ledger.accounts:
            audit.account(account)
        for request in self.ledger.requests:
            audit.request(request)
        return audit.report()


def claim(*texts: str, limit: int = 32) -> Claim:
    items = tuple(
        Item(place=place, messages=[{"role": "user", "content": text}], arguments={"max_new_tokens": limit})
        for place, text in enumerate(texts)
    )
    return Claim(job_id=JOB.job_id, token="t", worker_id="w", until_utc=NOW, items=items)


def slow(**changed: object) -> Callable[[ManualClock], FakeBatchEngine]:
    return lambda clock: FakeBatchEngine(token_s=0.1, sleep=clock.advance, **changed)


def test_each_item_has_an_answer_and_a_row_of_its_own() -> None:
    bench = Bench(slow())
    done = bench.run("one", "two words", "three of them")
    assert [answer.text for answer in done.answers] == [
        fake_answer([{"role": "user", "content": text}], 32) for text in ("one", "two words", "three of them")
    ]
    rows = bench.ledger.requests
    assert [row.request_id for row in rows] == [answer.request_id for answer in done.answers]
    assert {(row.purpose, row.call, row.task, row.tags["job"]) for row in rows} == {
        ("job", "job", "question", JOB.job_id)
    }


def test_the_parts_add_up_to_what_the_meter_counted() -> None:
    bench = Bench(slow())
    done = bench.run("one", "two words", "three of them")
    bench.run("four", "five")
    total_j = sum(row.energy_j for row in bench.ledger.requests)
    assert total_j == pytest.approx(50.0 * bench.clock.monotonic_s())
    assert done.energy_j == pytest.approx(50.0 * done.time_s)
    assert {row.energy_method for row in bench.ledger.requests} == {"apportioned"}
    report = bench.audit()
    assert report.ok, report.findings
    assert (report.requests, report.unmetered) == (5, 0)


def test_a_batch_that_is_too_large_is_run_in_halves_and_its_failed_attempts_are_overhead() -> None:
    bench = Bench(slow(most_prompts=2))
    done = bench.run(*"abcde")
    assert [answer.place for answer in done.answers] == [0, 1, 2, 3, 4]
    assert done.most == 2
    assert bench.audit().ok


def test_a_single_prompt_that_does_not_fit_is_set_aside_for_good() -> None:
    bench = Bench(slow(most_prompts=0))
    done = bench.run("a", "b")
    assert [(failure.place, failure.for_good) for failure in done.failures] == [(0, True), (1, True)]
    assert {row.error_type for row in bench.ledger.requests} == {"BatchTooLarge"}
    assert bench.audit().ok


def test_a_poison_prompt_leaves_the_others() -> None:
    bench = Bench(slow(poison="poison"))
    done = bench.run("fine", "poison", "fine too")
    assert [answer.place for answer in done.answers] == [0, 2]
    assert [(failure.place, failure.for_good) for failure in done.failures] == [(1, True)]
    assert [row.status for row in bench.ledger.requests] == ["ok", "error", "ok"]
    assert bench.audit().ok


def test_an_engine_that_is_down_writes_no_row_and_what_it_drew_is_overhead() -> None:
    def drawing(clock: ManualClock) -> FakeBatchEngine:
        return FakeBatchEngine(unavailable_times=1, on_run=lambda _: clock.advance(2.0))

    bench = Bench(drawing)
    with pytest.raises(EngineUnavailable):
        bench.run("a")
    assert bench.ledger.requests == []
    report = bench.audit()
    assert report.ok
    assert sum(hour.overhead_j for hour in report.hours) == pytest.approx(100.0)


def test_a_directive_is_drawn_for_each_item_among_what_fits_it() -> None:
    class ByLength:
        name, version = "by length", "1"

        def __init__(self) -> None:
            self.seen: list[tuple[Observation, tuple[str, ...]]] = []

        def choose(self, observation, candidates, rng):
            self.seen.append((observation, tuple(candidates)))
            chosen = "brief" if len(self.seen) % 2 else "full"
            return FixedPolicy(chosen).choose(observation, candidates, rng)

    policy = ByLength()
    bench = Bench(slow(), policy)
    done = bench.run("one", "two words")
    assert [answer.directive for answer in done.answers] == ["brief", "full"]
    assert [row.directive for row in bench.ledger.requests] == ["brief", "full"]
    (first, candidates), (second, _) = policy.seen
    assert (first.task, first.batch_size, first.limit_tokens, first.intensity_g_per_kwh) == ("question", 2, 32, 200.0)
    assert (first.prompt_tokens, second.prompt_tokens) == (2, 4)  # summed over the rows of such a batch
    assert "brief" in candidates
    assert "int8" not in candidates  # the fake knows no variants
    assert all(row.propensity == 1.0 for row in bench.ledger.requests)


def test_what_an_engine_measured_itself_counts_instead_of_the_window() -> None:
    bench = Bench(lambda clock: FakeBatchEngine(batch_j=12.0, token_s=0.1, sleep=clock.advance))
    done = bench.run("one", "two words")
    assert done.energy_j == pytest.approx(12.0)
    assert {row.energy_method for row in bench.ledger.requests} == {"estimated"}


def test_an_unknown_energy_stays_unknown() -> None:
    bench = Bench(lambda clock: FakeBatchEngine(devices=("GPU-not-metered",), sleep=clock.advance))
    done = bench.run("one")
    assert done.energy_j is None
    assert (bench.ledger.requests[0].energy_j, bench.ledger.requests[0].operational_g) == (None, None)
    assert done.answers[0].text


def test_a_prompt_that_an_engine_stumbles_over_is_found_and_leaves_the_others() -> None:
    def stumble(asks) -> None:
        if any("bad" in ask.messages[0]["content"] for ask in asks):
            raise ZeroDivisionError("of what was in the prompt: bad")

    bench = Bench(slow(on_run=stumble))
    done = bench.run("a", "b", "bad", "d", "e")
    assert [answer.place for answer in done.answers] == [0, 1, 3, 4]
    assert [(failure.place, failure.error, failure.for_good) for failure in done.failures] == [
        (2, "ZeroDivisionError", False)
    ]
    assert done.most is None  # it was not for want of memory
    assert bench.audit().ok


def test_an_item_that_ran_on_another_machine_is_in_no_account_and_no_finding() -> None:
    bench = Bench(lambda clock: FakeBatchEngine(batch_j=12.0, sleep=clock.advance))
    bench.run("one", "two words")
    assert {row.account_id for row in bench.ledger.requests} == {None}
    assert bench.audit().ok


def test_rows_of_a_half_that_was_answered_stay_when_the_engine_goes_down_after_it() -> None:
    """Its window is charged already, so that without them the account would hold more than its requests."""
    made: list[FakeBatchEngine] = []

    def down_after_the_first_half(asks) -> None:
        if len(made[0].batches) == 3:
            made[0].go_down()

    def engine(clock: ManualClock) -> FakeBatchEngine:
        made.append(FakeBatchEngine(token_s=0.1, sleep=clock.advance, most_prompts=4, on_run=down_after_the_first_half))
        return made[0]

    bench = Bench(engine)
    done = bench.run(*"abcdefgh")
    assert [answer.place for answer in done.answers] == [0, 1, 2, 3]
    assert done.failures == ()
    assert isinstance(done.unavailable, EngineUnavailable)
    assert len(bench.ledger.requests) == 4
    report = bench.audit()
    assert report.ok, report.findings


def test_rows_of_a_half_that_was_answered_stay_after_ctrl_c_in_the_other() -> None:
    made: list[FakeBatchEngine] = []

    def interrupted(asks) -> None:
        if len(made[0].batches) == 3:
            raise KeyboardInterrupt

    def engine(clock: ManualClock) -> FakeBatchEngine:
        made.append(FakeBatchEngine(token_s=0.1, sleep=clock.advance, most_prompts=4, on_run=interrupted))
        return made[0]

    bench = Bench(engine)
    with pytest.raises(KeyboardInterrupt):
        bench.run(*"abcdefgh")
    assert len(bench.ledger.requests) == 4
    assert bench.audit().ok


def test_a_prompt_that_failed_alone_leaves_the_energy_of_the_others_known() -> None:
    def stumble(asks) -> None:
        if any("bad" in ask.messages[0]["content"] for ask in asks):
            raise ZeroDivisionError

    bench = Bench(slow(on_run=stumble))
    done = bench.run("a", "b", "bad", "d")
    assert done.energy_j == pytest.approx(sum(row.energy_j or 0.0 for row in bench.ledger.requests))
    assert done.energy_j > 0
