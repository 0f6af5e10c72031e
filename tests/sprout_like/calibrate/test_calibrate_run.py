"""The calibration, with a runner whose calls take the time they are told to."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest

from directives import FULL, Budget, Directive, Draft, Lookup, Reuse
from directives.profile import LeftOut
from sprout_like.calibrate.grid import Workload
from sprout_like.calibrate.run import Measurements, Step, calibrate
from sprout_like.calibrate.runner import NotServed
from sprout_like.calibrate.sample import Sample
from sprout_like.calibrate.schedule import Turn
from sprout_like.ledger.testing import sample_request
from sprout_like.testing import ManualClock

SHORT = Directive(name="short", budget=Budget(max_new_tokens=8))
LOOKUP = Directive(name="lookup", draft=Draft(lookup=Lookup()))
DIRECTIVES = {directive.name: directive for directive in (FULL, SHORT, LOOKUP)}
WORKLOADS = (
    Workload(task="question", prompts=("a", "b")),
    Workload(task="question", prompts=("a", "b"), batch_size=2),
    Workload(task="passage", prompts=("c",)),
)


class TimedRunner:
    """Takes `seconds(turn, limit_tokens)` by the clock for each call, and answers with the prompt's number."""

    def __init__(
        self,
        clock: ManualClock,
        seconds: Callable[[Turn, int], float] = lambda turn, limit: limit / 64,
        *,
        refused: Mapping[str, Mapping[str, str]] | None = None,
        energy_j: Callable[[Turn], float | None] = lambda turn: 1.0,
    ) -> None:
        self.calls: list[tuple[Turn, int]] = []
        self._clock = clock
        self._seconds = seconds
        self._refused = refused or {}
        self._energy_j = energy_j

    def refusals(self, workload: Workload) -> Mapping[str, str]:
        return self._refused.get(workload.name, {})

    def run(self, turn: Turn, workload: Workload, limit_tokens: int) -> Sample:
        self.calls.append((turn, limit_tokens))
        start_s = self._clock.monotonic_s()
        self._clock.advance(self._seconds(turn, limit_tokens))
        asked = workload.asked(turn.round_number)
        record = sample_request(
            directive=turn.slot.directive,
            task=workload.task,
            batch_size=len(asked),
            engine_s=self._clock.monotonic_s() - start_s,
            energy_j=self._energy_j(turn),
        )
        answers = tuple(map(str, asked))
        return Sample(turn=turn, prompts=asked, answers=answers, limit_tokens=limit_tokens, record=record)


def run(runner: Any, clock: ManualClock, *, budget_s: float = 600.0, **more: Any) -> Measurements:
    found = Measurements()
    directives = more.pop("directives", DIRECTIVES)
    calibrate(
        found,
        runner,
        directives,
        more.pop("workloads", WORKLOADS),
        rng=Random(1),
        now_s=clock.monotonic_s,
        deadline_s=budget_s,
        **more,
    )
    return found


def test_every_directive_is_measured_on_every_workload_as_often_as_full() -> None:
    clock = ManualClock()
    found = run(TimedRunner(clock), clock)

    counts = Counter(sample.turn.slot for sample in found.samples)
    assert len(counts) == len(DIRECTIVES) * len(WORKLOADS)
    assert set(counts.values()) == {3}  # equal costs: known after the least number of rounds
    assert (found.ended, found.rounds, found.left_out) == ("tight", 3, [])


def test_the_warm_up_runs_everything_once_and_counts_nothing() -> None:
    clock = ManualClock()
    runner = TimedRunner(clock)
    found = run(runner, clock)

    warm_up = runner.calls[: len(runner.calls) - len(found.samples)]
    assert {turn.slot.directive for turn, _ in warm_up} == set(DIRECTIVES)
    assert {turn.slot.workload for turn, _ in warm_up} == {0, 1, 2}


def test_a_workload_may_be_measured_for_full_alone() -> None:
    clock = ManualClock()
    alone = dataclasses.replace(WORKLOADS[1], full_alone=True)
    found = run(TimedRunner(clock), clock, workloads=(WORKLOADS[0], alone))

    slots = {sample.turn.slot for sample in found.samples}
    assert {slot.directive for slot in slots if slot.workload == 0} == set(DIRECTIVES)
    assert {slot.directive for slot in slots if slot.workload == 1} == {"full"}
    assert [(left.directive, left.workload) for left in found.left_out] == [(None, alone.name)]


def test_all_directives_are_asked_the_same_prompts() -> None:
    clock = ManualClock()
    found = run(TimedRunner(clock), clock)

    asked: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    for sample in found.samples:
        asked.setdefault((sample.turn.slot.workload, sample.turn.round_number), set()).add(sample.prompts)
    assert all(len(prompts) == 1 for prompts in asked.values())
    assert asked[0, 0] != asked[0, 1]


def test_rounds_go_on_until_the_ratio_is_tight_enough() -> None:
    clock, noise = ManualClock(), Random(5)
    found = run(TimedRunner(clock, energy_j=lambda turn: noise.gauss(1.0, 0.05)), clock, budget_s=1e6)

    assert found.ended == "tight"
    assert found.rounds > 3


def test_without_energy_the_time_decides() -> None:
    clock, noise = ManualClock(), Random(5)
    runner = TimedRunner(clock, lambda turn, limit: noise.gauss(1.0, 0.05), energy_j=lambda turn: None)
    found = run(runner, clock, budget_s=1e6)

    assert found.ended == "tight"
    assert found.rounds > 3


@pytest.mark.parametrize("budget_s", [0.0, 0.2, 3.0, 10.0, 30.0, 60.0])
def test_the_budget_is_kept(budget_s: float) -> None:
    clock, noise = ManualClock(), Random(5)
    runner = TimedRunner(
        clock,
        lambda turn, limit: limit / 64 * (4 if turn.slot.directive == "lookup" else 1),
        energy_j=lambda turn: noise.gauss(1.0, 0.3),
    )
    found = run(runner, clock, budget_s=budget_s)

    assert clock.monotonic_s() <= budget_s + 0.25  # the first call of all, whose length nobody knows
    assert found.ended == "budget"


def test_a_call_that_is_too_slow_is_not_tried_again() -> None:
    clock, noise = ManualClock(), Random(5)

    def seconds(turn: Turn, limit: int) -> float:
        return 45.0 if turn.slot.directive == "lookup" and limit > 16 else limit / 64

    runner = TimedRunner(clock, seconds, energy_j=lambda turn: noise.gauss(1.0, 0.3))
    run(runner, clock, budget_s=80.0, workloads=WORKLOADS[:1])

    assert clock.monotonic_s() <= 80.0
    assert sum(seconds(*call) == 45.0 for call in runner.calls) == 1


def test_where_the_time_is_short_the_last_workloads_are_left_out() -> None:
    clock, noise = ManualClock(), Random(5)
    runner = TimedRunner(clock, energy_j=lambda turn: noise.gauss(1.0, 0.3))
    found = run(runner, clock, budget_s=18.0)

    assert {sample.turn.slot.workload for sample in found.samples} == {0}
    assert [(left.directive, left.workload) for left in found.left_out] == [(None, "question x2"), (None, "passage")]


def test_where_the_time_is_short_the_warm_up_leaves_some_for_measuring() -> None:
    clock = ManualClock()
    many = {f"d{n}": Directive(name=f"d{n}", budget=Budget(max_new_tokens=8)) for n in range(20)}
    found = run(TimedRunner(clock), clock, budget_s=6.0, directives={FULL.name: FULL, **many}, workloads=WORKLOADS[:1])

    assert found.samples
    unreached = {left.directive for left in found.left_out}
    assert unreached
    assert unreached.isdisjoint(sample.turn.slot.directive for sample in found.samples)


def test_what_cannot_be_applied_is_said_with_the_reason() -> None:
    clock = ManualClock()
    refused = {workload.name: {"short": "budget: never"} for workload in WORKLOADS}
    refused["question x2"] = {**refused["question x2"], "lookup": "draft: a batch of 2"}
    found = run(TimedRunner(clock, refused=refused), clock)

    assert found.left_out == [
        LeftOut(directive="short", workload=None, reason="budget: never"),
        LeftOut(directive="lookup", workload="question x2", reason="draft: a batch of 2"),
    ]
    assert {sample.turn.slot.directive for sample in found.samples} == {"full", "lookup"}


def test_the_answer_cache_is_left_out() -> None:
    clock = ManualClock()
    cached = Directive(name="cached", reuse=Reuse(answers=True))
    runner = TimedRunner(clock)
    found = run(runner, clock, directives={**DIRECTIVES, "cached": cached})

    assert "cached" not in {turn.slot.directive for turn, _ in runner.calls}
    assert [(left.directive, left.workload) for left in found.left_out] == [("cached", None)]
    assert "cache at 0 J" in found.left_out[0].reason


class FaultyRunner(TimedRunner):
    """Raises for one directive from its n-th call on."""

    def __init__(self, clock: ManualClock, directive: str, error: BaseException, *, after: int = 0) -> None:
        super().__init__(clock)
        self._directive = directive
        self._error = error
        self._left = after

    def run(self, turn: Turn, workload: Workload, limit_tokens: int) -> Sample:
        if turn.slot.directive == self._directive:
            if self._left == 0:
                self.calls.append((turn, limit_tokens))
                raise self._error
            self._left -= 1
        return super().run(turn, workload, limit_tokens)


@pytest.mark.parametrize("after", [0, 4])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotServed("variant small: no memory"), "variant small: no memory"),
        (MemoryError(), "it failed with MemoryError"),
    ],
)
def test_a_directive_that_fails_is_left_out_and_the_others_go_on(error: Exception, reason: str, after: int) -> None:
    clock = ManualClock()
    runner = FaultyRunner(clock, "lookup", error, after=after)
    found = run(runner, clock)

    assert found.left_out == [LeftOut(directive="lookup", workload=None, reason=reason)]
    assert sum(turn.slot.directive == "lookup" for turn, _ in runner.calls) == after + 1
    counts = Counter(sample.turn.slot.directive for sample in found.samples)
    assert counts["full"] == counts["short"] == 9


def test_an_error_under_full_is_the_caller_s() -> None:
    clock = ManualClock()
    with pytest.raises(MemoryError):
        run(FaultyRunner(clock, "full", MemoryError()), clock)


def test_what_was_measured_before_an_interruption_stays() -> None:
    clock, found = ManualClock(), Measurements()
    with pytest.raises(KeyboardInterrupt):
        calibrate(
            found,
            FaultyRunner(clock, "short", KeyboardInterrupt(), after=3),
            DIRECTIVES,
            WORKLOADS,
            rng=Random(1),
            now_s=clock.monotonic_s,
            deadline_s=600.0,
        )

    assert found.samples
    assert found.ended == "interrupted"


def test_steps_tell_the_stage_and_the_time_that_is_left() -> None:
    clock = ManualClock()
    steps: list[Step] = []
    run(TimedRunner(clock), clock, on_step=steps.append)

    assert steps[0] == Step(round_number=0, directive="full", workload="question", left_s=600.0)
    assert steps[-1].round_number == 3
    assert [step.left_s for step in steps] == sorted((step.left_s for step in steps), reverse=True)


def test_a_batch_needs_as_many_prompts() -> None:
    with pytest.raises(ValueError, match="a batch of 3 needs as many prompts"):
        Workload(task="question", prompts=("a",), batch_size=3)
