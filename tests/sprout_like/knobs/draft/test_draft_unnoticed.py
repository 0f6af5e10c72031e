"""Nothing but time tells a draft from the plain call: streams, scores, logs, the models themselves, other threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from transformers import (
    GenerationConfig,
)
from transformers.utils import logging as library_logging

from directives import Directive
from sprout_like.engines.engine import Call
from tests.sprout_like.knobs.calling import state
from tests.sprout_like.knobs.draft.drafting import (
    ASSISTED,
    LOOKUP,
    SHALLOW,
    Collector,
    engine_of,
    greedy,
    prompt,
    run,
    shaken,
)

pytestmark = pytest.mark.model


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_streamer_is_given_what_it_is_given_without_a_draft(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama")
    drafted, plain = Collector(), Collector()
    run(engine_of(model), directive, greedy(prompt(), streamer=drafted)).end_stream()
    model.generate(**greedy(prompt(), streamer=plain))
    assert [v.tolist() for v in drafted.given] == [v.tolist() for v in plain.given]
    assert drafted.ended


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_scores_and_cache_are_those_of_the_plain_call(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama")
    kwargs = greedy(prompt(), return_dict_in_generate=True, output_scores=True)
    drafted, plain = run(engine_of(model), directive, kwargs).output, model.generate(**kwargs)
    assert torch.equal(drafted.sequences, plain.sequences)
    assert len(drafted.scores) == len(plain.scores)
    for one, other in zip(drafted.scores, plain.scores, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
    assert drafted.past_key_values.get_seq_length() == plain.past_key_values.get_seq_length()


@pytest.mark.parametrize("fails_at", [None, 4])
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_the_models_are_left_as_they_were_also_by_a_failure(
    make: Callable[..., Any], directive: Directive, fails_at: int | None
) -> None:
    model = make("llama")
    small = shaken(model)
    small.generation_config.num_assistant_tokens_schedule = "heuristic"
    small.generation_config.repetition_penalty = 1.5
    engine, kwargs = engine_of(model, small), greedy(prompt(), generation_config=GenerationConfig(max_new_tokens=23))
    del kwargs["max_new_tokens"], kwargs["do_sample"], kwargs["pad_token_id"]
    before, given = [state(model), state(small)], kwargs["generation_config"].to_dict()
    kwargs["streamer"] = Collector(fails_at)
    if fails_at is None:
        run(engine, directive, kwargs)
    else:
        with pytest.raises(ConnectionResetError):
            run(engine, directive, kwargs)
    assert [state(model), state(small)] == before
    assert kwargs["generation_config"].to_dict() == given
    assert torch.equal(run(engine, directive, greedy(prompt())).output, model.generate(**greedy(prompt())))


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What transformers logs, also what it says only once."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Lines()
    library_logging.warning_once.cache_clear()
    logging.getLogger("transformers").addHandler(handler)
    yield lines
    logging.getLogger("transformers").removeHandler(handler)


@pytest.mark.parametrize("sampling", [False, True])
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_draft_gives_no_warnings(
    make: Callable[..., Any], said: list[str], directive: Directive, sampling: bool
) -> None:
    engine = engine_of(make("llama"))
    run(engine, directive, greedy(prompt(), do_sample=sampling, repetition_penalty=1.2, eos_token_id=5))
    config = GenerationConfig(max_new_tokens=9, do_sample=sampling, repetition_penalty=1.2, pad_token_id=0)
    ids = prompt()
    run(engine, directive, {"input_ids": ids, "attention_mask": torch.ones_like(ids), "generation_config": config})
    assert said == []


def test_the_plan_names_every_model_it_runs(make: Callable[..., Any]) -> None:
    model = make("llama")
    small = shaken(model)
    engine = engine_of(model, small)
    call: Call = engine.inspect((), greedy(prompt()))
    assert [id(each) for each in engine.plan(ASSISTED, call).models] == [id(model), id(small)]
    assert [id(each) for each in engine.plan(SHALLOW, call).models] == [id(model)]


def test_two_threads_with_different_drafts_get_what_each_gets_alone(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = engine_of(model)
    wanted = {seed: model.generate(**greedy(prompt(seed))) for seed in range(4)}
    wrong: list[tuple[str, int]] = []

    def work(directive: Directive) -> None:
        wrong.extend(
            (directive.name, seed)
            for seed in range(4)
            if not torch.equal(run(engine, directive, greedy(prompt(seed))).output, wanted[seed])
        )

    threads = [threading.Thread(target=work, args=(d,)) for d in (LOOKUP, ASSISTED, SHALLOW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
