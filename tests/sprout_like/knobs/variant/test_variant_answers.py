"""Variants on live calls: another model, or another precision, answers in the model's place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
import torch

from directives import FULL, Budget, Directive, Draft
from sprout_like.engines.engine import Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.locks import lock_of
from sprout_like.engines.places import on_device
from tests.sprout_like.knobs.calling import Window
from tests.sprout_like.knobs.variant.variant_calls import (
    HALF,
    IN_HALF,
    MESSAGES,
    OTHER,
    answer,
    refusal,
    rendered,
    run,
)

pytestmark = pytest.mark.model


def test_another_precision_answers_in_the_models_place(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    prompt = rendered(tokenizer)
    kwargs = {**prompt, "max_new_tokens": 6, "do_sample": False}
    assert engine.ready(HALF) is None
    (loaded,) = engine.make_ready(HALF, nullcontext)
    assert engine.ready(HALF) == [loaded]
    plan, generation = run(engine, HALF, kwargs=kwargs)
    (model,) = plan.models
    assert model is plan.runner is loaded is not plain
    assert model.dtype == torch.bfloat16
    assert all(plan.kwargs[name] is value for name, value in kwargs.items())
    assert torch.equal(generation.output[:, : prompt["input_ids"].shape[1]], prompt["input_ids"])
    assert generation.answers == [answer(model, prompt)]
    assert engine.devices(plan) == ("cpu",)


def test_a_running_variant_leaves_the_model_to_others(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    plan = engine.plan(HALF, engine.inspect((), rendered(tokenizer)))
    with engine.hold(plan):
        assert lock_of(plan.runner).held_here
        assert not lock_of(plain).held_here


def test_threads_get_from_each_model_what_it_gives_alone(to_sibling: HuggingFaceEngine, tokenizer: Any) -> None:
    engine = to_sibling
    kwargs = {**rendered(tokenizer), "max_new_tokens": 6, "do_sample": False}
    call = engine.inspect((), kwargs)
    alone = {directive.name: run(engine, directive, kwargs=kwargs)[1].answers for directive in (FULL, OTHER)}
    assert alone["full"] != alone["other_model"]

    def held(directive: Directive) -> Any:
        plan = engine.plan(directive, call)
        with engine.hold(plan):
            return directive.name, engine.run(plan, call, Window()).answers

    with ThreadPoolExecutor(4) as threads:
        for name, answers in threads.map(held, [FULL, OTHER] * 8):
            assert answers == alone[name]


def test_a_prompt_of_tokens_goes_to_a_model_that_shares_them(
    to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any
) -> None:
    prompt = rendered(tokenizer)
    plan, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 6, "do_sample": False})
    assert plan.runner is sibling
    assert generation.output[0].tolist() == prompt["input_ids"][0].tolist() + answer(sibling, prompt)


def test_a_chat_is_rendered_again_for_a_model_with_other_tokens(
    to_stranger: HuggingFaceEngine, tokenizer: Any, stranger: Any, foreign: Any
) -> None:
    plan, generation = run(to_stranger, OTHER, kwargs={"max_new_tokens": 6, "do_sample": False}, messages=MESSAGES)
    prompt = rendered(foreign)
    assert torch.equal(plan.kwargs["input_ids"], prompt["input_ids"])
    assert generation.answers == [answer(stranger, prompt)]
    assert (
        to_stranger.decode(plan, generation.answers[0])
        == foreign.decode(generation.answers[0], skip_special_tokens=True).strip()
    )
    own = rendered(tokenizer)["input_ids"]
    assert torch.equal(generation.output[:, : own.shape[1]], own)
    assert generation.output.shape[1] == own.shape[1] + 6


def test_a_chat_is_rendered_by_the_variants_own_template(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    terse = retemplated("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, terse)})
    plan, _ = run(engine, OTHER, kwargs={"max_new_tokens": 2}, messages=MESSAGES)
    assert tokenizer.decode(plan.kwargs["input_ids"][0]) == "Why is the sky blue?\n"
    strict = retemplated("{{ raise_exception('no system turn, please') }}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, strict)})
    assert "does not take these messages" in str(refusal(engine, OTHER, messages=MESSAGES))
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, retemplated(None))})
    assert "has no chat template" in str(refusal(engine, OTHER, messages=MESSAGES))
    assert refusal(engine, OTHER, kwargs=rendered(tokenizer)) is None


def test_processors_see_the_callers_prompt_also_where_it_was_rendered_again(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    shown: list[torch.Tensor] = []

    class Processor:
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            shown.append(input_ids.clone())
            return scores

    terse = retemplated("{% for m in messages %}{{ m.role + m.content }}\n{% endfor %}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, terse)})
    told = Directive(name="told", variant="other", instruction="Be brief.")
    run(engine, told, kwargs={"max_new_tokens": 2, "logits_processor": [Processor()]}, messages=MESSAGES)
    assert torch.equal(shown[0], rendered(tokenizer)["input_ids"])


def test_padding_is_shown_as_the_models_own(to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any) -> None:
    sibling.generation_config.pad_token_id = 9
    prompt = tokenizer(["a b c", "d e f"], return_tensors="pt")
    first = sibling.generate(**prompt, max_new_tokens=4, do_sample=False)[0, prompt["input_ids"].shape[1]]
    sibling.generation_config.eos_token_id = int(first)
    _, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 4, "do_sample": False})
    row = generation.output[0, prompt["input_ids"].shape[1] :].tolist()
    assert row == [int(first)] + [2] * (len(row) - 1)


def test_other_knobs_see_the_variant(to_stranger: HuggingFaceEngine, foreign: Any) -> None:
    both = Directive(name="both", variant="other", instruction="Be brief.", budget=Budget(max_new_tokens=3))
    messages = [{"role": "system", "content": "Be kind."}, *MESSAGES]
    plan, generation = run(to_stranger, both, messages=messages, kwargs={"max_new_tokens": 9})
    assert "Be brief." in foreign.decode(plan.kwargs["input_ids"][0])
    assert plan.instruction_tokens == plan.prompt_length - rendered(foreign, messages)["input_ids"].shape[1] > 0
    assert (plan.limit_tokens, generation.new_tokens) == (3, 3)


def test_tensors_go_to_where_the_variant_sits() -> None:
    kwargs = {"input_ids": torch.ones(1, 2), "max_new_tokens": 3}
    moved = on_device(Plan(kwargs=kwargs), torch.device("meta"))
    assert moved.kwargs["input_ids"].is_meta
    assert moved.kwargs["max_new_tokens"] == 3
    assert not kwargs["input_ids"].is_meta


def test_a_cache_of_another_model_is_not_handed_on(to_sibling: HuggingFaceEngine, tokenizer: Any) -> None:
    kwargs = {**rendered(tokenizer), "max_new_tokens": 3, "return_dict_in_generate": True, "output_scores": True}
    _, generation = run(to_sibling, OTHER, kwargs=kwargs)
    assert generation.output.past_key_values is None
    assert len(generation.output.scores) == 3


def test_a_streamer_sees_the_callers_prompt_and_the_variants_answer(
    to_sibling: HuggingFaceEngine, tokenizer: Any
) -> None:
    class Streamer:
        def __init__(self) -> None:
            self.put_there: list[int] = []

        def put(self, value: torch.Tensor) -> None:
            self.put_there += value.flatten().tolist()

        def end(self) -> None: ...

    streamer = Streamer()
    kwargs = {**rendered(tokenizer), "max_new_tokens": 3, "do_sample": False, "streamer": streamer}
    _, generation = run(to_sibling, OTHER, kwargs=kwargs)
    assert streamer.put_there == generation.output[0].tolist()


def test_an_assistant_is_made_ready_too(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    drafted = Directive(name="drafted", draft=Draft(assistant="half"))
    assert engine.ready(drafted) is None
    loaded = engine.make_ready(drafted, nullcontext)
    assert engine.ready(drafted) == loaded
    unknown = Directive(name="unknown", draft=Draft(assistant="halb"))
    assert str(engine.misfit(unknown)).startswith("draft.assistant 'halb': there is no variant of that name")
