"""The opt-in sample of the traffic: what is kept, for how long, and that no request ever feels it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from directives.testing import ScriptedRandom
from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.evaluating.evaluation import Evaluation
from sprout_like.evaluating.kept import count_kept, forget, kept_prompts
from sprout_like.evaluating.sample import MOST_CHARACTERS, MOST_WAITING, Sampler
from sprout_like.evaluating.store import save_evaluation
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.schema import PromptRow
from sprout_like.ledger.testing import sample_request
from sprout_like.serving import Reply
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

Make = Callable[..., Sampler]
ASKED = [{"role": "user", "content": "Why?"}]
KEEP = timedelta(days=7)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(spec: str, clock: ManualClock) -> Iterator[Make]:
    made: list[Sampler] = []

    def sampler(*, share: float = 1.0, at: str | None = None, rng: Any = None) -> Sampler:
        engine = build_engine(parse_address(at or spec))
        made.append(Sampler(engine, share=share, keep=KEEP, clock=clock, rng=rng or Random(1)))
        return made[-1]

    yield sampler
    for each in made:
        each.close()


def reply(number: int = 0, text: str = "Because.", **row: Any) -> Reply:
    return Reply(text, replace(sample_request(number), **{"purpose": "request", "model": "small", **row}))


def kept(engine: Engine, clock: ManualClock) -> list[Any]:
    return kept_prompts(engine, clock.now_utc(), model="small", catalogue_version="builtin:1")


def tick(sampler: Sampler, clock: ManualClock) -> None:
    clock.advance(400)
    sampler.tick()


def test_what_is_kept_can_be_asked_again(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make()
    arguments = {"max_new_tokens": 8, "do_sample": True, "streamer": object()}
    sampler.offer(ASKED, {"enable_thinking": False}, arguments, reply(7))
    tick(sampler, clock)

    (prompt,) = kept(engine, clock)
    assert (prompt.messages, prompt.task) == (ASKED, "question")
    assert (prompt.template, prompt.arguments) == ({"enable_thinking": False}, {"max_new_tokens": 8, "do_sample": True})
    assert (prompt.served.request_id, prompt.served.directive) == (f"{7:032x}", "brief")
    assert prompt.served.answer == "Because."
    assert "Why" not in repr(prompt)
    assert "Because" not in repr(prompt)


def test_the_share_is_drawn(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make(share=0.25, rng=ScriptedRandom([0.1, 0.25, 0.9, 0.24]))
    for number in range(4):
        sampler.offer(ASKED, None, {}, reply(number))
    tick(sampler, clock)

    assert sorted(int(prompt.served.request_id, 16) for prompt in kept(engine, clock)) == [0, 3]


@pytest.mark.parametrize("purpose", ["baseline", "evaluation", "calibration"])
def test_only_requests_are_traffic(make: Make, engine: Engine, clock: ManualClock, purpose: str) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply(purpose=purpose))
    tick(sampler, clock)

    assert kept(engine, clock) == []


@pytest.mark.parametrize(
    ("messages", "template", "arguments", "answer"),
    [
        ([{"role": "user", "content": [{"type": "image"}]}], {}, {}, "a"),
        (ASKED, {"tools": [print]}, {}, "a"),
        (ASKED, {}, {"stopping_criteria": object()}, "a"),
        (ASKED, {}, {"temperature": float("nan")}, "a"),
        (ASKED, {}, {}, "nul \x00"),
        (ASKED, {}, {}, "half \ud800"),
        (ASKED, {}, {}, "x" * MOST_CHARACTERS),
    ],
    ids=["picture", "function", "object", "nan", "nul", "surrogate", "long"],
)
def test_what_cannot_be_asked_again_or_stored_is_left_out(
    make: Make, engine: Engine, clock: ManualClock, messages: Any, template: Any, arguments: Any, answer: str
) -> None:
    sampler = make()
    sampler.offer(messages, template, arguments, reply(text=answer))
    sampler.offer(ASKED, None, {}, reply(1))
    tick(sampler, clock)

    assert [int(prompt.served.request_id, 16) for prompt in kept(engine, clock)] == [1]


def test_it_is_a_copy(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler, messages = make(), [dict(ASKED[0])]
    sampler.offer(messages, None, {}, reply())
    messages[0]["content"] = "changed"
    tick(sampler, clock)

    assert kept(engine, clock)[0].messages == ASKED


def test_what_has_expired_is_deleted(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply(1))
    tick(sampler, clock)
    clock.advance(KEEP.total_seconds() / 2)
    sampler.offer(ASKED, None, {}, reply(2))
    tick(sampler, clock)
    clock.advance(KEEP.total_seconds() / 2 - 600)
    assert len(kept(engine, clock)) == 1  # expired, and not given out though it is still there
    tick(sampler, clock)

    with engine.connect() as connection:
        assert connection.scalars(select(PromptRow.request_id)).all() == [f"{2:032x}"]


def test_the_ledger_forgets_what_has_expired_though_nobody_samples_any_more(
    make: Make, spec: str, engine: Engine, clock: ManualClock
) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply())
    sampler.close()  # the clock's year is over, so by the database's clock it has expired
    with CarbonAware(None, engine=NullEngine(), grid=1.0, ledger=spec, meter="none", policy="full"):
        pass

    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(PromptRow)) == 0


def test_closing_writes_what_waits(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply())
    sampler.close()
    sampler.close()

    assert len(kept(engine, clock)) == 1


def test_an_outage_costs_no_more_memory_than_allowed_and_only_the_oldest(
    make: Make, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "not yet"
    sampler = make(at=str(place / "ledger.sqlite"))
    for number in range(MOST_WAITING + 10):
        sampler.offer(ASKED, None, {}, reply(number))
        if number % 100 == 0:
            tick(sampler, clock)
    tick(sampler, clock)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]  # once per outage
    assert "Why?" not in caplog.text
    place.mkdir()
    tick(sampler, clock)

    engine = build_engine(parse_address(str(place / "ledger.sqlite")))
    numbers = [int(prompt.served.request_id, 16) for prompt in kept(engine, clock)]
    engine.dispose()
    assert sorted(numbers) == list(range(10, MOST_WAITING + 10))


def test_prompts_of_another_model_or_catalogue_are_not_judged(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply(0, model="large"))
    sampler.offer(ASKED, None, {}, reply(1, catalogue_version="own:2"))
    sampler.offer(ASKED, None, {}, reply(2))
    tick(sampler, clock)

    assert [int(prompt.served.request_id, 16) for prompt in kept(engine, clock)] == [2]


def test_what_was_judged_is_not_judged_again(
    make: Make, engine: Engine, clock: ManualClock, make_evaluation: Callable[..., Evaluation]
) -> None:
    sampler = make()
    sampler.offer(ASKED, None, {}, reply(1))
    sampler.offer(ASKED, None, {}, reply(2))
    tick(sampler, clock)
    first, second = kept(engine, clock)
    save_evaluation(engine, make_evaluation(judged_prompts=(first.served.prompt_id,)))

    assert kept(engine, clock) == [second]
    (count,) = count_kept(engine)
    assert (count.task, count.directive, count.prompts_n, count.judged_n) == ("question", "brief", 2, 1)
    assert count.next_expiry_utc == count.first_taken_utc + KEEP


def test_all_can_be_forgotten(make: Make, engine: Engine, clock: ManualClock) -> None:
    sampler = make()
    for number in range(3):
        sampler.offer(ASKED, None, {}, reply(number, task=None))
    tick(sampler, clock)

    assert forget(engine, expired_utc=clock.now_utc()) == 0
    assert forget(engine) == 3
    assert count_kept(engine) == []


class TestInTheMiddleware:
    def serve(self, ledger: Any, clock: ManualClock, messages: Any, **settings: Any) -> str:
        with CarbonAware(
            None,
            engine=NullEngine(new_tokens=3),
            clock=clock,
            grid=250.0,
            ledger=ledger,
            meter=FakeMeter(clock=clock, watts=1.0),
            policy="full",
            settings=Settings.load(**settings),
        ) as aware:
            return aware.chat(messages, task="question", max_new_tokens=3).text

    def test_a_served_request_is_kept(self, spec: str, engine: Engine, clock: ManualClock) -> None:
        answer = self.serve(spec, clock, "Why?", sample_share=1.0, sample_keep_days=2.0)
        with engine.connect() as connection:
            row = connection.execute(select(PromptRow.__table__)).one()
        assert (row.messages, row.answer, row.directive, row.task) == (ASKED, answer, "full", "question")
        assert row.arguments == {"max_new_tokens": 3}
        assert row.expires_utc == clock.now_utc() + timedelta(days=2)

    def test_nothing_is_kept_unless_asked_for(self, spec: str, engine: Engine, clock: ManualClock) -> None:
        self.serve(spec, clock, "Why?")
        with engine.connect() as connection:
            assert connection.scalar(select(func.count()).select_from(PromptRow)) == 0

    def test_a_request_that_cannot_be_sampled_is_served(
        self, spec: str, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert self.serve(spec, clock, [object()], sample_share=1.0) == "0 1 2"
        assert "could not be sampled (AttributeError)" in caplog.text

    def test_there_must_be_a_database_for_them(self, clock: ManualClock) -> None:
        with pytest.raises(SettingError, match=r"^sample_share: .*Give the ledger as a path or URL"):
            self.serve(MemoryLedger(), clock, "Why?", sample_share=0.1)
