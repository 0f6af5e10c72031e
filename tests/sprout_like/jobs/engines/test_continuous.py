"""Continuous batches on tiny models: the same tokens, the model left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import fsum
from typing import Any

import pytest
import torch

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


def _ranks(
    engine: ContinuousEngine, model: Any, tokenizer: Any, prompt: Ask, window: Any, monkeypatch: Any
) -> list[int]:
    """Where the first tokens that are drawn stand among all, the most likely at 0."""
    rendered = tokenizer.apply_chat_template(
        list(prompt.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        order = model(**rendered).logits[0, -1].argsort(descending=True).tolist()
    drawn: list[int] = []
    runner = engine._holder.load()
    decode = runner.decode
    monkeypatch.setattr(runner, "decode", lambda plan, tokens: drawn.append(tokens[0]) or decode(plan, tokens))
    answers = engine.run([prompt] * 64, window).answers
    assert [answer.error for answer in answers] == [None] * 64
    return [order.index(token) for token in drawn]


@pytest.mark.parametrize(
    ("arguments", "beyond"),
    [({}, 50), ({"top_k": 5}, 5), ({"top_k": 0}, None), ({"top_k": None}, None)],
    ids=str,
)
def test_sampling_is_among_as_many_tokens_as_that_of_generate(
    arguments: dict[str, Any],
    beyond: int | None,
    engine: ContinuousEngine,
    model: Any,
    tokenizer: Any,
    ask: Any,
    window: Any,
    monkeypatch: Any,
) -> None:
    prompt = ask("Hi", 1, do_sample=True, temperature=50.0, **arguments)
    ranks = _ranks(engine, model, tokenizer, prompt, window, monkeypatch)
    assert max(ranks) < beyond if beyond else max(ranks) > 1000
    assert len(set(ranks)) > 3


def test_sampling_that_the_checkpoint_asks_for_is_among_as_many_tokens_too(
    make_tiny: Any, tokenizer: Any, window: Any, monkeypatch: Any
) -> None:
    model = make_tiny("llama")
    model.generation_config.do_sample, model.generation_config.temperature = True, 50.0
    prompt = Ask(messages=[{"role": "user", "content": "Hi"}], arguments={"max_new_tokens": 1}, directive=FULL)
    ranks = _ranks(continuous(model, tokenizer), model, tokenizer, prompt, window, monkeypatch)
    assert max(ranks) < 50
    assert len(set(ranks)) > 3


def test_a_greedy_batch_leaves_the_random_generator_alone(engine: ContinuousEngine, ask: Any, window: Any) -> None:
    before = torch.get_rng_state()
    engine.run([ask("Hi"), ask("Ho")], window)
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_draw_one_after_the_other_and_again_from_the_same_seed(
    engine: ContinuousEngine, ask: Any, window: Any
) -> None:
    prompt = ask("Hi", 12, do_sample=True, temperature=1.5)
    runs = []
    for _ in range(2):
        torch.manual_seed(5)
        runs.append([engine.run([prompt], window).answers[0].text for _ in range(3)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


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
