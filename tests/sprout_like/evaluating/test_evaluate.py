"""The evaluation with fakes at every edge: what is generated, what is judged, and what is kept when it ends early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from directives import Directive
from directives.evaluation import Sampling
from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.engines.engine import Call
from sprout_like.errors import JudgeError
from sprout_like.evaluating.evaluation import Evaluation, Sheet
from sprout_like.evaluating.prompt import Prompt, Served
from sprout_like.evaluating.run import evaluate
from sprout_like.judges.judge import Case, Cost, Ruling
from sprout_like.judges.testing import ScriptedJudge
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

NEVER = Sampling(half_width=1e-6, floor=0.95, confidence=0.95)
WATTS = 50.0


class PickyEngine(NullEngine):
    """Refuses a directive, or fails on a prompt, as told."""

    def __init__(self, *, refused: str = "", failing: str | None = None, error: Exception | None = None, **more: Any):
        super().__init__(**more)
        self._refused = refused
        self._failing = failing
        self._own_error = error or ValueError("secret")

    def refusal(self, directive: Directive, call: Call) -> str | None:
        return "budget: never" if directive.name == self._refused else None

    def run(self, plan: Any, call: Call, window: Any) -> Any:
        if call.messages is not None and call.messages[0]["content"] == self._failing:
            raise self._own_error
        return super().run(plan, call, window)


class UnreadableEngine(NullEngine):
    """Cannot look at a prompt, as where a chat template cannot render it or a tokenizer cannot encode it."""

    def __init__(self, unreadable: str, error: Exception) -> None:
        super().__init__()
        self._unreadable = unreadable
        self._own_error = error

    def inspect(self, args: Any, kwargs: Any, **more: Any) -> Call:
        messages = more.get("messages")
        if messages is not None and messages[0]["content"] == self._unreadable:
            raise self._own_error
        return super().inspect(args, kwargs, **more)


class Bench:
    """A `CarbonAware` on fakes: every generation takes 2 s at 50 W and 180 g/kWh."""

    def __init__(self, engine: NullEngine | None = None) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.sheet = Sheet()
        self.aware = CarbonAware(
            None,
            engine=engine or NullEngine(on_run=lambda: self.clock.advance(2.0)),
            clock=self.clock,
            grid=180.0,
            ledger=self.ledger,
            meter=FakeMeter(clock=self.clock, watts=WATTS),
            policy="threshold",
            settings=Settings.load(),
        )

    def judge(
        self, prompts: list[Prompt], judge: Any = None, directives: tuple[str, ...] = ("brief",), **more: Any
    ) -> Evaluation:
        sampling = more.pop("sampling", NEVER)
        judge = judge or ScriptedJudge()
        try:
            evaluate(
                self.sheet,
                self.aware,
                prompts,
                judge,
                directives,
                sampling=sampling,
                clock=self.clock,
                rng=Random(1),
                **more,
            )
        finally:
            self.evaluation = self.sheet.evaluation(
                evaluation_id="e" * 32,
                started_utc=self.clock.now_utc(),
                ended_utc=self.clock.now_utc(),
                reason="asked for",
                judge=judge.name,
                pue=1.0,
            )
        assert self.evaluation is not None
        return self.evaluation


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(engine: NullEngine | None = None) -> Bench:
        made.append(Bench(engine))
        return made[-1]

    yield make
    for each in made:
        each.aware.close()


def asked(*texts: str, task: str | None = None) -> list[Prompt]:
    return [
        Prompt(messages=[{"role": "user", "content": text}], task=task, arguments={"do_sample": False})
        for text in texts
    ]


def sampled(text: str, directive: str, *, task: str | None = None) -> Prompt:
    served = Served(prompt_id=f"kept {text}", request_id=f"request {text}", directive=directive, answer="as served")
    return Prompt(messages=[{"role": "user", "content": text}], task=task, served=served)


def test_every_prompt_is_answered_in_full_once_and_under_each_directive(bench: Callable[..., Bench]) -> None:
    b = bench()
    found = b.judge(asked("a", "b", "c", task="question"), directives=("brief", "very_brief", "full"))

    served = Counter((row.directive, row.purpose, row.task, row.policy) for row in b.ledger.requests)
    assert served == {(name, "evaluation", "question", "fixed"): 3 for name in ("full", "brief", "very_brief")}
    assert (found.prompts_n, found.verdicts_n, found.ties_n, found.ended) == (3, 6, 6, "prompts")
    assert Counter(verdict.prompt_number for verdict in found.verdicts) == {0: 2, 1: 2, 2: 2}
    assert {verdict.request_id for verdict in found.verdicts} == {None}
    assert {str(verdict.bin) for verdict in found.verdicts} == {"question, prompt 1-128, limit 1-32, batch 1"}


def test_the_judge_sees_both_answers_and_the_reference(bench: Callable[..., Bench]) -> None:
    b, judge = bench(), ScriptedJudge()
    (prompt,) = asked("a")
    b.judge([Prompt(messages=prompt.messages, reference="7", arguments={})], judge)

    (case,) = judge.cases
    replies = {row.directive: row.new_tokens for row in b.ledger.requests}
    assert (len(case.answer.split()), len(case.full_answer.split())) == (replies["brief"], replies["full"])
    assert (case.messages, case.reference) == (prompt.messages, "7")


def test_the_same_prompt_is_paid_for_once(bench: Callable[..., Bench]) -> None:
    b = bench()
    found = b.judge([*asked("a", "a"), *asked("a", task="other")])

    assert (found.prompts_n, found.verdicts_n) == (2, 2)
    assert len(b.ledger.requests) == 4


def test_what_is_known_well_enough_is_asked_no_more(bench: Callable[..., Bench]) -> None:
    b = bench()
    judge = ScriptedJudge(lambda case: (1.0, 0.0))
    found = b.judge(asked(*map(str, range(200))), judge, sampling=Sampling(half_width=0.05))

    assert found.ended == "settled"
    assert found.verdicts_n < 100
    assert len(b.ledger.requests) == 2 * found.verdicts_n  # nor is full generated for nothing


def test_one_task_says_nothing_of_another(bench: Callable[..., Bench]) -> None:
    b = bench()
    judge = ScriptedJudge(lambda case: (1.0, 0.0))
    prompts = [*asked(*map(str, range(200)), task="easy"), *asked("x", "y", task="rare")]
    found = b.judge(prompts, judge, sampling=Sampling(half_width=0.05))

    counts = Counter(verdict.bin.task for verdict in found.verdicts)
    assert counts["rare"] == 2
    assert counts["easy"] < 100
    assert found.ended == "prompts"  # the rare task is not known well enough


def test_no_more_prompts_than_allowed(bench: Callable[..., Bench]) -> None:
    found = bench().judge(asked("a", "b", "c"), most_prompts=2)
    assert (found.prompts_n, found.ended) == (2, "limit")


def test_the_order_is_drawn(bench: Callable[..., Bench]) -> None:
    judge = ScriptedJudge()
    texts = [str(n) for n in range(20)]
    bench().judge(asked(*texts), judge)

    order = [case.messages[0]["content"] for case in judge.cases]
    assert sorted(order) == sorted(texts)
    assert order != texts


class TestWhatIsNotJudged:
    def test_a_ruling_without_scores_is_counted_with_its_reason(self, bench: Callable[..., Bench]) -> None:
        judge = ScriptedJudge(lambda case: None if case.messages[0]["content"] == "b" else (0.5, 0.5))
        found = bench().judge(asked("a", "b", "c"), judge)
        assert (found.verdicts_n, found.dropped_n) == (2, 1)
        assert found.dropped == {"the judge: scripted: dropped": 1}

    def test_a_directive_that_cannot_be_applied_is_not_generated(self, bench: Callable[..., Bench]) -> None:
        b = bench(PickyEngine(refused="brief"))
        found = b.judge(asked("a"), directives=("brief", "very_brief"))
        assert found.dropped == {"brief: budget: never": 1}
        assert [verdict.directive for verdict in found.verdicts] == ["very_brief"]
        assert len(b.ledger.requests) == 2

    def test_a_prompt_that_the_model_fails_on_costs_that_prompt(self, bench: Callable[..., Bench]) -> None:
        found = bench(PickyEngine(failing="b")).judge(asked("a", "b", "c"))
        assert (found.prompts_n, found.verdicts_n) == (2, 2)
        assert found.dropped == {"full: it failed with ValueError": 1}

    def test_what_no_prompt_can_do_ends_it(self, bench: Callable[..., Bench]) -> None:
        error = SettingError("tokenizer", "has no chat template", "Set one")
        b = bench(PickyEngine(failing="b", error=error))
        with pytest.raises(SettingError, match="chat template"):
            b.judge(asked("b"))
        assert b.sheet.ended == "failed"

    @pytest.mark.parametrize(
        ("error", "ended"),
        [(JudgeError("endpoint: the key is refused"), "failed"), (KeyboardInterrupt(), "interrupted")],
    )
    def test_what_was_judged_before_an_end_is_kept(self, bench: Callable[..., Bench], error: Any, ended: str) -> None:
        b = bench()
        with pytest.raises(type(error)):
            b.judge(asked("a", "b", "c"), ScriptedJudge(error=error, after=2))
        assert b.evaluation is not None
        assert (b.evaluation.verdicts_n, b.evaluation.ended) == (2, ended)

    def test_nothing_generated_is_no_evaluation(self, bench: Callable[..., Bench]) -> None:
        b = bench(PickyEngine(failing="a"))
        with pytest.raises(AssertionError):
            b.judge(asked("a"))
        assert b.evaluation is None


class TestTheTraffic:
    def test_the_answer_that_was_served_is_judged(self, bench: Callable[..., Bench]) -> None:
        b, judge = bench(), ScriptedJudge()
        found = b.judge([sampled("a", "brief", task="question")], judge)

        assert [row.directive for row in b.ledger.requests] == ["full"]
        assert judge.cases[0].answer == "as served"
        (verdict,) = found.verdicts
        assert (verdict.request_id, verdict.bin.task) == ("request a", "question")
        assert found.judged_prompts == ("kept a",)

    def test_the_other_directives_are_judged_on_it_too(self, bench: Callable[..., Bench]) -> None:
        found = bench().judge([sampled("a", "brief")], directives=("brief", "very_brief"))
        assert {v.directive: v.request_id for v in found.verdicts} == {"brief": "request a", "very_brief": None}

    def test_it_is_judged_even_where_enough_is_known(self, bench: Callable[..., Bench]) -> None:
        prompts = [sampled(str(n), "brief") for n in range(60)]
        judge = ScriptedJudge(lambda case: (1.0, 0.0))
        found = bench().judge([*asked(*map(str, range(100, 200))), *prompts], judge, sampling=Sampling(half_width=0.05))
        assert sum(verdict.request_id is not None for verdict in found.verdicts) == 60
        assert found.verdicts_n == 60  # and nothing is asked of the file that the traffic has told
        assert found.ended == "settled"

    def test_of_requests_that_were_served_full_nothing_was_lost(self, bench: Callable[..., Bench]) -> None:
        found = bench().judge([sampled("a", "full")])
        assert [verdict.request_id for verdict in found.verdicts] == [None]
        assert found.judged_prompts == ("kept a",)


class CostlyJudge:
    """Every ruling costs as much as it is told."""

    name = "costly"

    def __init__(self, *costs: Cost) -> None:
        self._costs = iter(costs)

    def rule(self, case: Case) -> Ruling:
        return Ruling(score=1.0, full_score=0.0, asked=2, first=1, second=1, cost=next(self._costs))


def test_what_it_took_is_counted(bench: Callable[..., Bench]) -> None:
    b = bench()
    costs = [Cost(energy_j=10.0, method="measured", duration_s=1.0, tokens=100)] * 2
    found = b.judge(asked("a", "b"), CostlyJudge(*costs))

    rows = b.ledger.requests
    assert found.energy_j == pytest.approx(sum(row.energy_j or 0.0 for row in rows)) == pytest.approx(4 * 2 * WATTS)
    assert found.operational_g == pytest.approx(4 * 2 * WATTS / 3.6e6 * 180)
    assert found.embodied_g is None
    assert (found.judge_energy_j, found.judge_energy_method, found.judge_s) == (20.0, "measured", 2.0)
    assert found.judge_operational_g == pytest.approx(20 / 3.6e6 * 180)
    assert (found.judge_tokens, found.first_n, found.second_n) == (200, 2, 2)


def test_a_sum_with_an_unknown_part_is_unknown(bench: Callable[..., Bench]) -> None:
    known = Cost(energy_j=10.0, method="measured", tokens=100)
    found = bench().judge(asked("a", "b"), CostlyJudge(known, Cost()))

    assert (found.judge_energy_j, found.judge_energy_method, found.judge_tokens) == (None, "none", None)
    assert found.judge_operational_g is None


def test_a_prompt_that_cannot_be_looked_at_is_dropped_and_the_others_are_judged(bench: Callable[..., Bench]) -> None:
    made = bench(UnreadableEngine("bad", UnicodeEncodeError("utf-8", "secret", 0, 1, "surrogates not allowed")))
    served = Served(prompt_id="p", request_id="r", directive="brief", answer="served")
    bad = Prompt(messages=[{"role": "user", "content": "bad"}], arguments={"do_sample": False}, served=served)
    evaluation = made.judge([bad, *asked("good")])

    assert evaluation.dropped == {"full: it failed with UnicodeEncodeError": 1}
    assert (evaluation.prompts_n, evaluation.verdicts_n, evaluation.judged_prompts) == (1, 1, ("p",))
