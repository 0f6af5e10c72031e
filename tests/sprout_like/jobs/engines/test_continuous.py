"""Continuous batches on tiny models: the same tokens, the model left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import fsum
from typing import Any

import pytest

from directives import FULL, Budget, Directive
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.continuous import ContinuousEngine
from sprout_like.jobs.engines.engine import Ask

SHORT = Directive(name="short", instruction="Be brief.", budget=Budget(max_new_tokens=4, soft_tokens=0))
SOFT = Directive(name="soft", budget=Budget(max_new_tokens=9, soft_tokens=6))


def continuous(model: Any, tokenizer: Any) -> ContinuousEngine:
    return ContinuousEngine(lambda: (model, tokenizer), model="tiny")


@pytest.fixture(scope="module")
def model(make_tiny: Callable[..., Any]) -> Any:
    """A tiny Llama."""
    return make_tiny("llama")


@pytest.fixture(scope="module")
def engine(model: Any, tokenizer: Any) -> Iterator[ContinuousEngine]:
    """An engine on it, loaded."""
    engine = continuous(model, tokenizer)
    engine.load()
    yield engine
    engine.close()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma"])
def test_every_row_is_answered_as_it_would_be_alone(
    family: str, make_tiny: Any, tokenizer: Any, mixed: Any, alone: Any, window: Any
) -> None:
    model = make_tiny(family)
    before = model.config._attn_implementation
    asks = mixed()
    answers = continuous(model, tokenizer).run(asks, window).answers
    assert model.config._attn_implementation == before
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in asks]
    assert [answer.new_tokens for answer in answers] == [prompt.limit_tokens for prompt in asks]
    assert fsum(answer.share for answer in answers) == 1
    assert window.paused == 0


def test_a_model_with_attention_that_the_loop_replaces_gets_its_own_back(
    make_tiny: Any, tokenizer: Any, mixed: Any, alone: Any, window: Any
) -> None:
    model = make_tiny("llama", attn_implementation="eager")
    asks = mixed()
    wanted = [alone(model, prompt) for prompt in asks]
    assert [answer.text for answer in continuous(model, tokenizer).run(asks, window).answers] == wanted
    assert model.config._attn_implementation == "eager"
    assert [alone(model, prompt) for prompt in asks] == wanted


@pytest.mark.parametrize("directive", [SHORT, SOFT], ids=lambda directive: directive.name)
def test_directives_that_the_loop_cannot_apply_run_padded(
    directive: Directive, engine: ContinuousEngine, mixed: Any, model: Any, tokenizer: Any, window: Any
) -> None:
    from sprout_like.jobs.engines.padded import PaddedEngine

    asks = [Ask(messages=a.messages, arguments=a.arguments, directive=d) for a in mixed() for d in (FULL, directive)]
    assert [engine.refusal(prompt.directive, prompt) for prompt in asks] == [None] * len(asks)
    wanted = PaddedEngine(lambda: (model, tokenizer), model="tiny").run(asks, window).answers
    answers = engine.run(asks, window).answers
    assert [answer.text for answer in answers] == [answer.text for answer in wanted]
    assert [answer.limit_tokens for answer in answers] == [answer.limit_tokens for answer in wanted]


@pytest.mark.parametrize("arguments", [{"repetition_penalty": 1.3}, {"min_new_tokens": 3}], ids=str)
def test_arguments_that_the_loop_does_not_know_are_honoured(
    arguments: dict[str, Any], engine: ContinuousEngine, model: Any, ask: Any, alone: Any, window: Any
) -> None:
    asks = [ask("Hi", 8, **arguments), ask("Name a colour. " * 4, 5, **arguments)]
    answers = engine.run(asks, window).answers
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in asks]


def test_a_family_that_the_loop_does_not_run_rightly_is_found_out(make_tiny: Any, tokenizer: Any) -> None:
    engine = continuous(make_tiny("mamba"), tokenizer)
    with pytest.raises(EngineUnavailable, match="padded"):
        engine.load()
    with pytest.raises(EngineUnavailable, match="padded"):  # and it is not half loaded
        engine.load()


def test_a_batch_that_does_not_fit_says_so(make_tiny: Any, tokenizer: Any, ask: Any, window: Any) -> None:
    model = make_tiny("llama")
    engine = continuous(model, tokenizer)
    engine.load()

    def before(*_: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    hook = model.register_forward_pre_hook(before)
    with pytest.raises(BatchTooLarge, match="2 prompts"):
        engine.run([ask("Hi"), ask("Ho")], window)
    hook.remove()
    assert all(answer.text is not None for answer in engine.run([ask("Hi"), ask("Ho")], window).answers)


def test_a_loop_that_fails_is_each_prompts_own_fault(make_tiny: Any, tokenizer: Any, ask: Any, window: Any) -> None:
    model = make_tiny("llama")
    engine = continuous(model, tokenizer)
    engine.load()

    def before(*_: Any) -> None:
        raise RuntimeError("secret")

    model.register_forward_pre_hook(before)
    answers = engine.run([ask("Hi"), ask("Ho")], window).answers
    assert [answer.error for answer in answers] == ["RuntimeError", "RuntimeError"]
    assert not any(answer.for_good for answer in answers)
