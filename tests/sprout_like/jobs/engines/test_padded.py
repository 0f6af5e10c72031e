"""Padded batches on tiny models of several families: each row as it would be alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from math import fsum
from typing import Any

import pytest
import torch

from directives import FULL, Budget, Depth, Directive, Draft, EarlyExit, Lookup, Repetition
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask
from sprout_like.jobs.engines.padded import PaddedEngine

BRIEF = Directive(name="brief", instruction="Always answer briefly.", budget=Budget(max_new_tokens=9, soft_tokens=6))
SHORT = Directive(name="short", budget=Budget(max_new_tokens=4, soft_tokens=0))
NO_LOOPS = Directive(name="no_loops", early_exit=EarlyExit(repetition=Repetition(times=2, longest=4, least=2)))
SHALLOW = Directive(name="shallow", early_exit=EarlyExit(depth=Depth(first=0.5)))
LOOKUP = Directive(name="lookup", draft=Draft(lookup=Lookup(ngram=2), tokens=3))

FAMILIES = {
    "llama": {},
    "gpt2": {},
    "gpt_neox": {},
    "qwen2": {},
    "gemma": {},
    "mistral": {"sliding_window": 16},  # keys that slide away
    "bloom": {},  # positions from the mask
    "mamba": {},  # no attention
}


def padded(model: Any, tokenizer: Any) -> PaddedEngine:
    return PaddedEngine(lambda: (model, tokenizer), model="tiny")


@pytest.fixture(scope="module")
def model(make_tiny: Callable[..., Any]) -> Any:
    """A tiny Llama."""
    return make_tiny("llama")


@pytest.fixture(scope="module")
def engine(model: Any, tokenizer: Any) -> Iterator[PaddedEngine]:
    """An engine on it, loaded."""
    engine = padded(model, tokenizer)
    engine.load()
    yield engine
    engine.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_is_answered_as_it_would_be_alone(
    family: str, make_tiny: Any, tokenizer: Any, mixed: Any, alone: Any, window: Any
) -> None:
    model = make_tiny(family, **FAMILIES[family])
    asks = mixed()
    answers = padded(model, tokenizer).run(asks, window).answers
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in asks]
    assert [answer.new_tokens for answer in answers] == [prompt.limit_tokens for prompt in asks]
    assert len({answer.batch_size for answer in answers}) > 1 or family == "mamba"
    assert window.paused == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"repetition_penalty": 1.3},
        {"no_repeat_ngram_size": 2},
        {"num_beams": 2},
        {"prompt_lookup_num_tokens": 3},
        {"use_cache": False},
        {"return_dict_in_generate": True, "output_scores": True},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_arguments_mean_for_a_row_what_they_mean_alone(
    arguments: dict[str, Any], engine: PaddedEngine, model: Any, mixed: Any, alone: Any, window: Any
) -> None:
    asks = mixed(**arguments)
    plain = [Ask(messages=a.messages, directive=FULL, arguments=_of_tokens(a.arguments)) for a in asks]
    answers = engine.run(asks, window).answers
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in plain]


def test_a_minimum_of_tokens_is_kept_by_every_row(
    engine: PaddedEngine, model: Any, tokenizer: Any, ask: Any, alone: Any, window: Any
) -> None:
    texts = ("Hi", "Name a colour. " * 7, "How does a bird know where to fly?")
    first = [_first_token(model, tokenizer, ask(text, 1)) for text in texts]
    ended = [ask(text, 12, eos_token_id=first) for text in texts]
    kept = [
        ask(text, limit, eos_token_id=first, min_new_tokens=5) for text, limit in zip(texts, (7, 30, 12), strict=True)
    ]
    assert [answer.new_tokens for answer in engine.run(ended, window).answers] == [1, 1, 1]
    answers = engine.run(kept, window).answers
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in kept]
    assert min(answer.new_tokens for answer in answers) >= 5


def _first_token(model: Any, tokenizer: Any, prompt: Ask) -> int:
    rendered = tokenizer.apply_chat_template(
        list(prompt.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return int(model.generate(**rendered, **prompt.arguments)[0, -1])


def _of_tokens(arguments: Any) -> dict[str, Any]:
    return {
        name: value for name, value in arguments.items() if name not in ("return_dict_in_generate", "output_scores")
    }


@pytest.mark.parametrize("directive", [BRIEF, SHORT, NO_LOOPS, SHALLOW], ids=lambda directive: directive.name)
def test_a_directive_does_to_a_row_what_it_does_to_a_prompt_alone(
    directive: Directive, engine: PaddedEngine, model: Any, tokenizer: Any, mixed: Any, window: Any
) -> None:
    asks = [Ask(messages=a.messages, arguments=a.arguments, directive=directive) for a in mixed()]
    single = HuggingFaceEngine(model, tokenizer)
    for prompt, answer in zip(asks, engine.run(asks, window).answers, strict=True):
        call = single.inspect((), prompt.arguments, messages=prompt.messages)
        plan = single.plan(directive, call)
        wanted = single.run(plan, call, window)
        assert engine.refusal(directive, prompt) is None
        assert answer.text == single.decode(plan, wanted.answers[0])
        assert answer.new_tokens == wanted.new_tokens
        assert answer.finish_reason == wanted.finish_reason
        assert answer.limit_tokens == plan.limit_tokens
        assert answer.instruction_tokens == plan.instruction_tokens


def test_rows_of_one_batch_have_directives_of_their_own(engine: PaddedEngine, ask: Any, window: Any) -> None:
    full, short, brief = engine.run([ask("Hi", 20), ask("Hi", 20, SHORT), ask("Hi", 20, BRIEF)], window).answers
    assert (full.limit_tokens, short.limit_tokens, brief.limit_tokens) == (20, 4, 9)
    assert full.text.startswith(short.text)
    assert full.text != short.text
    assert brief.instruction_tokens != 0
    assert short.batch_size == 3  # they ran in one batch nevertheless


def test_what_cannot_run_beside_others_is_refused_with_its_reason(engine: PaddedEngine, ask: Any) -> None:
    assert "draft" in engine.refusal(LOOKUP, ask("Hi"))
    assert "loaded" in PaddedEngine(lambda: (None, None), model="x").refusal(BRIEF, ask("Hi"))
    assert "context" in engine.refusal(BRIEF, ask("word " * 480))


def test_a_refused_directive_is_never_half_applied(engine: PaddedEngine, ask: Any, window: Any) -> None:
    (answer,) = engine.run([ask("Hi", 8, LOOKUP)], window).answers
    assert answer.text is None
    assert "lookup" in answer.error
    assert not answer.for_good


def test_a_prompts_own_fault_is_its_own(engine: PaddedEngine, ask: Any, model: Any, alone: Any, window: Any) -> None:
    broken = Ask(messages=[{"role": "user"}], arguments={"max_new_tokens": 3}, directive=FULL)
    asks = [
        ask("Hi"),
        ask("secret " * 600),
        broken,
        ask("Hi", 8, top_k="many", do_sample=True),
        ask("Hi", 8, images="a.png"),
    ]
    good, long, templated, argued, unknown = engine.run(asks, window).answers
    assert good.text == alone(model, asks[0])
    for answer in (long, templated, argued, unknown):
        assert answer.text is None
        assert answer.for_good
        assert "secret" not in answer.error
    assert "context holds 512" in long.error
    assert "images" in unknown.error


def test_a_limit_beyond_the_context_is_lowered(engine: PaddedEngine, ask: Any, window: Any) -> None:
    (answer,) = engine.run([ask("word " * 450, 2000)], window).answers
    assert answer.limit_tokens == 512 - answer.prompt_tokens
    assert answer.new_tokens <= answer.limit_tokens


def test_one_row_that_fails_while_it_runs_does_not_spoil_the_others(
    make_tiny: Any, tokenizer: Any, ask: Any, window: Any
) -> None:
    model = make_tiny("llama")
    engine = padded(model, tokenizer)
    engine.load()
    poison = tokenizer(" secret", add_special_tokens=False)["input_ids"][0]
    model.register_forward_pre_hook(_raising_at(poison, ValueError("secret")), with_kwargs=True)
    good, bad, also = engine.run([ask("Hi", 3), ask("My secret", 9), ask("Ho", 5)], window).answers
    assert bad == Answered(error="ValueError", for_good=True, share=bad.share)
    assert bad.share > 0  # its attempts took energy
    assert (good.new_tokens, also.new_tokens) == (3, 5)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried …"),
        RuntimeError("not enough memory: you tried to allocate 99 bytes."),
    ],
    ids=["cuda", "python", "allocator", "cpu"],
)
def test_a_batch_that_does_not_fit_says_so(
    error: Exception, make_tiny: Any, tokenizer: Any, ask: Any, window: Any
) -> None:
    model = make_tiny("llama")
    engine = padded(model, tokenizer)
    engine.load()
    model.register_forward_pre_hook(_raising_beyond(2, error), with_kwargs=True)
    with pytest.raises(BatchTooLarge, match="3 prompts"):
        engine.run([ask("Hi"), ask("Ho"), ask("Hu")], window)
    assert all(answer.text is not None for answer in engine.run([ask("Hi"), ask("Ho")], window).answers)


def test_rows_that_ended_are_dropped(make_tiny: Any, tokenizer: Any, ask: Any, window: Any) -> None:
    model = make_tiny("llama")
    engine = padded(model, tokenizer)
    engine.load()
    rows: list[int] = []
    model.register_forward_pre_hook(lambda _, __, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True)
    engine.run([ask("Hi", limit) for limit in (2, 2, 2, 12)], window)
    assert rows == [4, 4, *[1] * 10]


def test_shares_tell_what_each_took(engine: PaddedEngine, ask: Any, window: Any) -> None:
    answers = engine.run([ask("Hi", 2), ask("Hi", 2), ask("Name a colour. " * 20, 30), ask("no", 0)], window).answers
    assert fsum(answer.share for answer in answers) == 1
    assert answers[3].share == 0
    assert answers[0].share < answers[2].share
    assert answers[0].first_token_s <= answers[2].engine_s
    assert answers[0].batch_size == 3


def test_memory_is_given_back(make_tiny: Any, tokenizer: Any, ask: Any, window: Any) -> None:
    loaded: list[Any] = []

    def load() -> tuple[Any, Any]:
        model = make_tiny("llama")
        loaded.append(weakref.ref(model))
        return model, tokenizer

    engine = PaddedEngine(load, model="tiny")
    assert not loaded
    answers = engine.run([ask("Hi", 5, BRIEF), ask("Hi", 5)], window).answers
    assert engine.family == "llama"
    engine.unload()
    engine.unload()
    gc.collect()
    assert [each() for each in loaded] == [None]
    again = engine.run([ask("Hi", 5, BRIEF), ask("Hi", 5)], window).answers
    assert [answer.text for answer in again] == [answer.text for answer in answers]
    engine.close()


def test_a_model_that_cannot_be_loaded_now_is_waited_for(ask: Any) -> None:
    def load() -> tuple[Any, Any]:
        raise OSError("no space left")

    with pytest.raises(EngineUnavailable, match="no space left"):
        PaddedEngine(load, model="tiny").load()


def test_a_real_model_in_float32_answers_as_alone(
    smollm2: tuple[Any, Any], tokenizer: Any, ask: Any, alone: Any, window: Any
) -> None:
    import copy

    model = copy.deepcopy(smollm2[0]).float()
    asks = [ask("What is rain?", 4), ask("List three colours, and what you like about each. " * 3, 6), ask("1+1?", 12)]
    answers = padded(model, tokenizer).run(asks, window).answers
    assert [answer.text for answer in answers] == [alone(model, prompt) for prompt in asks]
    assert answers[2].finish_reason == "eos"


def _raising_at(token: int, error: Exception) -> Callable[..., None]:
    def before(_: Any, __: Any, kwargs: dict[str, Any]) -> None:
        if bool((kwargs["input_ids"] == token).any()):
            raise error

    return before


def _raising_beyond(rows: int, error: Exception) -> Callable[..., None]:
    def before(_: Any, __: Any, kwargs: dict[str, Any]) -> None:
        if len(kwargs["input_ids"]) > rows:
            raise error

    return before
