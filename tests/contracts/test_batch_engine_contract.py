"""What every engine for jobs must do, whoever runs the tokens."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from directives import FULL, Budget, Catalogue, Directive
from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask, BatchEngine
from tests.contracts.batch_engine_cases.all import OPENERS
from tests.contracts.batch_engine_cases.asking import POISON, SECRET, CountingWindow, ask, poisoned
from tests.contracts.batch_engine_cases.local_ray import local_ray

TOPICS = ("rain", "the tide of a river far away", "moss", "why leaves are green and skies are blue", "stone")
LIMITS = (3, 12, 1, 7, 5)

DIRECTIVES = Catalogue.builtin().directives


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray cluster of this machine alone."""
    with local_ray(cpus=4):
        yield


@pytest.fixture(params=OPENERS, scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[BatchEngine]:
    """One that several tests use."""
    with ExitStack() as stack:
        yield OPENERS[request.param](stack, request)


@pytest.fixture(params=OPENERS)
def own(request: pytest.FixtureRequest) -> Iterator[BatchEngine]:
    """One to be given back."""
    with ExitStack() as stack:
        yield OPENERS[request.param](stack, request)


def run(engine: BatchEngine, *asks: Ask) -> tuple[Answered, ...]:
    return engine.run(asks, CountingWindow()).answers


def test_it_says_who_it_is(engine: BatchEngine) -> None:
    assert engine.name
    assert engine.name.isprintable()
    assert engine.model
    engine.load()
    assert engine.family is None or engine.family.isprintable()


def test_answers_come_in_the_order_of_the_asks(engine: BatchEngine) -> None:
    asks = [ask(topic, limit) for topic, limit in zip(TOPICS, LIMITS, strict=True)]
    alone = [run(engine, each)[0].text for each in asks]
    assert [answer.text for answer in run(engine, *asks)] == alone
    assert [answer.text for answer in run(engine, *reversed(asks))] == alone[::-1]
    assert len(set(alone)) > 1


def test_the_same_prompt_twice_is_answered_twice(engine: BatchEngine) -> None:
    first, second = run(engine, ask(), ask())
    assert first.text is not None
    assert first.text == second.text


def test_each_limit_is_kept(engine: BatchEngine) -> None:
    asks = [ask(topic, limit) for topic, limit in zip(TOPICS, LIMITS, strict=True)]
    answers = run(engine, *asks)
    assert [answer.limit_tokens for answer in answers] == list(LIMITS)
    assert all(1 <= answer.new_tokens <= limit for answer, limit in zip(answers, LIMITS, strict=True))
    assert all(a.finish_reason == "length" or a.new_tokens < limit for a, limit in zip(answers, LIMITS, strict=True))


def test_what_an_answer_took_is_told(engine: BatchEngine) -> None:
    for answer in run(engine, *(ask(topic) for topic in TOPICS)):
        assert answer.error is None
        assert answer.prompt_tokens > 0
        assert answer.instruction_tokens == 0
        assert 1 <= answer.batch_size <= len(TOPICS)
        assert answer.engine_s is None or answer.engine_s >= 0


def test_the_tokens_of_a_prompt_are_told_before_as_after(engine: BatchEngine) -> None:
    engine.load()
    before = engine.prompt_tokens(ask())
    assert before in (None, run(engine, ask())[0].prompt_tokens)


@pytest.mark.parametrize("batch", ["one", "several", "one that fails among others", "none that is answered"])
def test_the_shares_sum_to_one(engine: BatchEngine, batch: str) -> None:
    asks = {
        "one": [ask()],
        "several": [ask(topic, limit) for topic, limit in zip(TOPICS, LIMITS, strict=True)],
        "one that fails among others": [ask(), poisoned(), ask(TOPICS[1])],
        "none that is answered": [poisoned(), poisoned()],
    }[batch]
    shares = [answer.share for answer in run(engine, *asks)]
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


def test_more_tokens_have_a_larger_share(engine: BatchEngine) -> None:
    short, long = run(engine, ask("rain", 1), ask("rain " * 40, 12))
    assert long.share > short.share


def test_no_prompts_have_no_answers(engine: BatchEngine) -> None:
    assert engine.run([], CountingWindow()).answers == ()


def test_the_fault_of_one_prompt_leaves_the_others(engine: BatchEngine) -> None:
    asks = [ask(TOPICS[0]), poisoned(), ask(TOPICS[1])]
    first, failed, last = run(engine, *asks)
    assert failed.text is None
    assert failed.error
    assert failed.for_good
    assert [first.text, last.text] == [run(engine, asks[0])[0].text, run(engine, asks[2])[0].text]
    assert first.text is not None


def test_a_budget_lowers_the_limit_and_never_raises_it(engine: BatchEngine) -> None:
    tight = Directive(name="tight", budget=Budget(max_new_tokens=4))
    engine.load()
    assert engine.refusal(tight, ask()) is None
    low, lower = run(engine, ask(limit=8, directive=tight), ask(limit=2, directive=tight))
    assert (low.limit_tokens, lower.limit_tokens) == (4, 2)
    assert low.new_tokens <= 4
    assert lower.new_tokens <= 2


def test_an_instruction_is_counted_apart_from_the_prompt(engine: BatchEngine) -> None:
    brief = Directive(name="brief", instruction="Answer in one short sentence.")
    engine.load()
    assert engine.refusal(brief, ask()) is None
    plain, told = run(engine, ask(), ask(directive=brief))
    assert told.prompt_tokens == plain.prompt_tokens
    assert told.instruction_tokens > 0


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_is_refused_with_a_reason_or_applied_as_a_whole(engine: BatchEngine, name: str) -> None:
    directive = DIRECTIVES[name]
    asked = ask(limit=40, directive=directive)
    engine.load()
    reason = engine.refusal(directive, asked)
    if reason is not None:
        assert reason.isprintable()
        assert reason.strip()
        assert SECRET not in reason
        return
    (answer,) = run(engine, asked)
    assert answer.error is None
    assert (answer.instruction_tokens > 0) == (directive.instruction is not None)
    wanted = 40 if directive.budget is None else min(40, directive.budget.max_new_tokens)
    assert answer.limit_tokens == wanted


def test_a_variant_that_nobody_knows_is_refused(engine: BatchEngine) -> None:
    unknown = Directive(name="unknown", variant="no_such_variant", budget=Budget(max_new_tokens=4))
    engine.load()
    assert engine.refusal(unknown, ask(directive=unknown))


def test_the_whole_is_metered_by_the_caller_or_told(engine: BatchEngine) -> None:
    engine.load()
    devices = engine.devices()
    outcome = engine.run([ask()], CountingWindow())
    assert (outcome.energy is None) == (devices is not None)
    assert devices is None or (devices and all(devices))


def test_every_pause_of_the_window_has_an_end(engine: BatchEngine) -> None:
    window = CountingWindow()
    engine.run([ask(), poisoned()], window)
    assert window.pauses == window.resumes


def test_loading_and_unloading_twice_is_as_once(own: BatchEngine) -> None:
    own.unload()
    for _ in range(2):
        own.load()
    before = run(own, ask())[0].text
    for _ in range(2):
        own.unload()
    own.load()
    assert run(own, ask())[0].text == before is not None


@pytest.mark.parametrize("give_back", ["unload", "close"])
def test_run_while_unloaded_it_loads_or_says_that_it_is_unavailable(own: BatchEngine, give_back: str) -> None:
    own.load()
    for _ in range(2):
        getattr(own, give_back)()
    try:
        (answer,) = run(own, ask())
    except EngineUnavailable as exc:
        assert str(exc)  # noqa: PT017 - either is right
    else:
        assert answer.text is not None


def test_nothing_is_changed_of_what_it_is_given(engine: BatchEngine) -> None:
    brief = Directive(name="brief", instruction="Be brief.", budget=Budget(max_new_tokens=4))
    asks = [ask(), ask(directive=brief), poisoned()]
    kept = copy.deepcopy(asks)
    run(engine, *asks)
    assert asks == kept
    assert asks[0].directive is FULL


def test_no_text_of_a_prompt_is_seen(engine: BatchEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome = engine.run([ask(), poisoned()], CountingWindow())
    shown = [repr(outcome), repr(ask()), repr(engine), *(a.error or "" for a in outcome.answers), caplog.text]
    assert not [text for text in shown if SECRET in text or POISON in text]
    assert outcome.answers[0].text
    assert outcome.answers[0].text not in repr(outcome)
