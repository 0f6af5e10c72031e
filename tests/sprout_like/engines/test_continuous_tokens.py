"""In the batch, a call gives what it gives alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from directives import Budget, Directive

pytestmark = pytest.mark.model

THREADS = 8
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen3": {},
    "mistral": {"sliding_window": 16},
    "gemma3_text": {"sliding_window": 16},
    "gpt2": {},
    "mixtral": {},
}
PADDED = torch.tensor([[2, 2, 2, 30, 31], [7, 1, 5, 9, 14], [2, 40, 41, 42, 43]])
MASK = torch.tensor([[0, 0, 0, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]])


def alone_and_together(model: Any, engine: Any, ran: Any, calls: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    bare = [model.generate(**call) for call in calls]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda call: ran(engine, **call), calls))
    return bare, together


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_of_many_threads(
    make_tiny: Any, make_continuous: Any, ran: Any, mixed_calls: Any, family: str
) -> None:
    model = make_tiny(family, **FAMILIES[family])
    calls = mixed_calls(model, 2 * THREADS)
    bare, together = alone_and_together(model, make_continuous(model), ran, calls)
    assert [generation.output.tolist() for generation in together] == [output.tolist() for output in bare]
    assert {generation.counts["batched"] for generation in together} == {1.0}


def test_each_has_its_own_end(make_tiny: Any, make_continuous: Any, ran: Any, mixed_calls: Any) -> None:
    model = make_tiny("llama")
    calls = mixed_calls(model, THREADS)
    for call in calls:  # an end token that this very answer holds
        call["max_new_tokens"] = 24
        call["eos_token_id"] = int(model.generate(**call)[0, call["input_ids"].shape[1] + 5])
    bare, together = alone_and_together(model, make_continuous(model), ran, calls)
    assert [generation.output.tolist() for generation in together] == [output.tolist() for output in bare]
    assert {generation.finish_reason for generation in together} == {"eos"}


@pytest.mark.parametrize(
    "asked",
    [
        {"max_new_tokens": 9},
        {"max_length": 12},
        {"max_new_tokens": 14, "eos_token_id": None},
        {"max_new_tokens": 14, "repetition_penalty": 1.7},
        {"max_new_tokens": 14, "do_sample": True, "top_k": 1},
        {"max_new_tokens": 14, "do_sample": True, "top_p": 1e-6, "temperature": 0.5},
        {"max_new_tokens": 14, "do_sample": True, "min_p": 1.0, "top_k": 0},
        {"generation_config": GenerationConfig(max_new_tokens=7, repetition_penalty=1.3, pad_token_id=2)},
    ],
    ids=repr,
)
def test_a_padded_batch_comes_back_as_generate_gives_it(
    make_tiny: Any, make_continuous: Any, ran: Any, asked: dict[str, Any]
) -> None:
    model = make_tiny("llama")
    ends = {} if "eos_token_id" in asked or "generation_config" in asked else {"eos_token_id": [2, *range(100, 20_000)]}
    call = {"input_ids": PADDED, "attention_mask": MASK, **ends, **asked}
    generation = ran(make_continuous(model), **call)
    bare = model.generate(**call)
    assert generation.output.tolist() == bare.tolist()
    assert generation.output.dtype == bare.dtype
    assert generation.counts == {"batched": 1.0}


def test_a_draw_follows_the_probabilities(make_tiny: Any, make_continuous: Any, ran: Any) -> None:
    model = make_tiny("llama")
    engine = make_continuous(model)
    ids = torch.tensor([[5, 6, 7]] * 64)
    asked = {"max_new_tokens": 1, "do_sample": True, "top_k": 2, "temperature": 40.0}
    with torch.no_grad():
        best = (model(ids[:1]).logits[0, -1].float() / 40.0).topk(2)
    share = float(torch.softmax(best.values, dim=-1)[0])
    drawn = list(
        chain.from_iterable(
            ran(engine, input_ids=ids, attention_mask=torch.ones_like(ids), **asked).output[:, -1].tolist()
            for _ in range(8)
        )
    )
    assert set(drawn) == set(best.indices.tolist())
    first = drawn.count(int(best.indices[0])) / len(drawn)
    assert first == pytest.approx(share, abs=5 * (share * (1 - share) / len(drawn)) ** 0.5)


def test_a_soft_ending_ends_where_it_ends_alone(make_tiny: Any, make_continuous: Any, ran: Any, tokenizer: Any) -> None:
    from sprout_like.engines.hugging_face import HuggingFaceEngine

    directive = Directive(
        name="short", instruction="Always answer briefly.", budget=Budget(max_new_tokens=20, soft_tokens=19)
    )
    model = make_tiny("llama")
    # Sentence ends are frequent enough to be met.
    stops = [index for token, index in tokenizer.get_vocab().items() if token.endswith(".")]
    with torch.no_grad():
        model.get_output_embeddings().weight[stops] *= 3
    plain, engine = HuggingFaceEngine(model, tokenizer), make_continuous(model, tokenizer)
    prompts = [
        tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, return_dict=True)
        for text in ("Why?", "Say one two three, one two three, one two three, and then four.", "Rain. Or sun.")
    ]
    batches = [*([prompt] for prompt in prompts), prompts]
    calls = [
        {**tokenizer.pad(batch, padding_side="left", return_tensors="pt"), "max_new_tokens": 40, "do_sample": False}
        for batch in batches
    ]
    alone = [ran(plain, directive=directive, **call) for call in calls]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda call: ran(engine, directive=directive, **call), calls))
    assert [generation.output.tolist() for generation in together] == [each.output.tolist() for each in alone]
    assert {generation.counts["batched"] for generation in together} == {1.0}
    assert "eos" in {generation.finish_reason for generation in together}


def test_the_real_model(smollm2: tuple[Any, Any], make_continuous: Callable[..., Any], ran: Callable[..., Any]) -> None:
    import copy

    model, tokenizer = copy.deepcopy(smollm2[0]).float(), smollm2[1]
    questions = ("Why is the sky blue?", "Name three rivers.", "What is 12 times 13?", "Who wrote Hamlet?")
    calls = [
        {
            **tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
            ),
            "max_new_tokens": 8 + 4 * index,
            "do_sample": False,
        }
        for index, text in enumerate(questions)
    ]
    bare, together = alone_and_together(model, make_continuous(model, tokenizer), ran, calls)
    assert [generation.output.tolist() for generation in together] == [output.tolist() for output in bare]
