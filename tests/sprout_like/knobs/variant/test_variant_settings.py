"""The caller's settings and the model's own hold for a variant; its own do not."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import GenerationConfig

from sprout_like.engines.hugging_face import HuggingFaceEngine
from tests.sprout_like.knobs.variant.variant_calls import MESSAGES, OTHER, answer, refusal, rendered, run

pytestmark = pytest.mark.model


def test_what_the_models_own_settings_bind_to_its_tokenizer_counts_too(
    to_stranger: HuggingFaceEngine, to_sibling: HuggingFaceEngine, plain: Any
) -> None:
    plain.generation_config.suppress_tokens = [7]
    assert "suppress_tokens" in str(refusal(to_stranger, OTHER, messages=MESSAGES))
    plan, _ = run(to_sibling, OTHER, messages=MESSAGES, kwargs={"max_new_tokens": 2})
    assert plan.kwargs["suppress_tokens"] == [7]


@pytest.mark.parametrize(
    ("of_model", "of_call", "limit"),
    [({}, {"max_new_tokens": 4}, 4), ({"max_new_tokens": 5}, {}, 5), ({"max_length": 50}, {}, None), ({}, {}, 20)],
    ids=["call", "model", "length", "none"],
)
def test_the_callers_limit_stays_what_it_was(
    to_stranger: HuggingFaceEngine,
    tokenizer: Any,
    plain: Any,
    stranger: Any,
    of_model: dict[str, Any],
    of_call: dict[str, Any],
    limit: int | None,
) -> None:
    stranger.generation_config.max_new_tokens = 11
    for name, value in of_model.items():
        setattr(plain.generation_config, name, value)
    if limit is None:
        limit = 50 - rendered(tokenizer)["input_ids"].shape[1]
    plan, generation = run(to_stranger, OTHER, messages=MESSAGES, kwargs=of_call)
    assert plan.limit_tokens == limit
    assert generation.new_tokens == limit
    assert generation.finish_reason == "length"


def test_a_greedy_models_variant_is_greedy(to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any) -> None:
    prompt = rendered(tokenizer)
    greedy = answer(sibling, prompt)
    sibling.generation_config.update(do_sample=True, temperature=9.0, min_p=0.01)
    plan, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 6})
    assert generation.answers == [greedy]
    assert plan.kwargs["temperature"] == 1.0
    assert plan.kwargs["min_p"] is None


def test_how_the_model_samples_is_how_its_variant_does(
    to_sibling: HuggingFaceEngine, tokenizer: Any, plain: Any, sibling: Any
) -> None:
    plain.generation_config.update(do_sample=True, temperature=0.5)
    sibling.generation_config.update(do_sample=True, top_k=1)
    plan, _ = run(to_sibling, OTHER, kwargs={**rendered(tokenizer), "max_new_tokens": 2, "temperature": 0.7})
    sampling = {name: plan.kwargs.get(name) for name in ("do_sample", "temperature", "top_k")}
    # `generate` takes 50 where neither the call nor the wrapped model says.
    assert sampling == {"do_sample": None, "temperature": 0.7, "top_k": 50}


def test_a_given_config_is_copied_and_carries_the_models_settings(
    to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any
) -> None:
    sibling.generation_config.update(do_sample=True, temperature=9.0)
    given = GenerationConfig(max_new_tokens=4)
    plan, generation = run(to_sibling, OTHER, kwargs={**rendered(tokenizer), "generation_config": given})
    assert (plan.kwargs["generation_config"].do_sample, given.do_sample) == (False, None)
    assert generation.new_tokens == 4
    sibling.generation_config.min_p = 0.1
    assert "min_p" in str(refusal(to_sibling, OTHER, kwargs={**rendered(tokenizer), "generation_config": given}))
