"""The shipped fake fails exactly as it is told to."""

from __future__ import annotations

import pytest

from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.testing import FakeBatchEngine, fake_answer
from sprout_like.meters.testing import ManualClock
from tests.contracts.batch_engine_cases.asking import POISON, CountingWindow, ask

ASKS = [ask(str(n)) for n in range(4)]


def test_answers_depend_on_the_conversation_alone() -> None:
    first, second = FakeBatchEngine(), FakeBatchEngine(name="other", model="other")
    answers = [engine.run(ASKS, CountingWindow()).answers for engine in (first, second)]
    texts = [fake_answer(each.messages, each.limit_tokens) for each in ASKS]
    assert [a.text for a in answers[0]] == [a.text for a in answers[1]] == texts
    assert len(set(texts)) == len(ASKS)


def test_a_batch_above_the_limit_does_not_fit_and_is_counted() -> None:
    engine = FakeBatchEngine(most_prompts=3)
    with pytest.raises(BatchTooLarge, match="4 prompts"):
        engine.run(ASKS, CountingWindow())
    engine.run(ASKS[:3], CountingWindow())
    assert [len(batch) for batch in engine.batches] == [4, 3]
    assert engine.prompts_n == 7


def test_it_is_down_as_often_as_it_is_told_to_be() -> None:
    engine = FakeBatchEngine(unavailable_times=1)
    with pytest.raises(EngineUnavailable):
        engine.load()
    engine.load()
    engine.go_down(1)
    with pytest.raises(EngineUnavailable):
        engine.run(ASKS, CountingWindow())
    engine.go_down()
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            engine.run(ASKS, CountingWindow())
    engine.come_back()
    assert engine.run(ASKS, CountingWindow()).answers[0].text


def test_the_poison_fails_its_prompt_alone_for_good() -> None:
    good, bad = FakeBatchEngine(poison=POISON).run([ask(), ask(POISON)], CountingWindow()).answers
    assert good.error is None
    assert bad.for_good
    assert (good.share, bad.share) == (1, 0)


def test_time_passes_by_the_clock_it_is_given() -> None:
    clock = ManualClock()
    engine = FakeBatchEngine(batch_s=2.0, token_s=0.5, load_s=10.0, sleep=clock.advance)
    engine.load()
    assert clock.monotonic_s() == 10
    (answer,) = engine.run([ask(limit=4)], CountingWindow()).answers
    assert clock.monotonic_s() == 14
    assert answer.engine_s == 4


def test_loading_and_unloading_are_counted() -> None:
    engine = FakeBatchEngine()
    engine.unload()
    engine.run(ASKS, CountingWindow())
    engine.load()
    engine.unload()
    engine.run(ASKS, CountingWindow())
    engine.close()
    assert (engine.loads, engine.unloads, engine.loaded) == (2, 2, False)
    with pytest.raises(EngineUnavailable, match="closed"):
        engine.load()
