"""Drafts on live `generate` calls: the answer stays as it is."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy.stats import chisquare

from directives import Budget, Directive, Draft, EarlyExit
from directives.knobs import Depth
from tests.sprout_like.knobs.calling import FAMILIES, SIZE, Window
from tests.sprout_like.knobs.draft.drafting import (
    ASSISTED,
    LOOKUP,
    SETTINGS,
    SHALLOW,
    engine_of,
    greedy,
    prompt,
    run,
    settled,
    trained,
)

pytestmark = pytest.mark.model

CASES = [  # gpt2 has no views
    pytest.param(family, changes, directive, id=f"{family}-{directive.name}")
    for family, changes in FAMILIES
    for directive in (LOOKUP, ASSISTED, SHALLOW)
    if (family, directive) != ("gpt2", SHALLOW)
]


@pytest.mark.parametrize(("family", "changes", "directive"), CASES)
def test_a_draft_leaves_a_greedy_answer_as_it_is(
    make: Callable[..., Any], family: str, changes: dict[str, Any], directive: Directive
) -> None:
    model = make(family, **changes)
    engine, accepted, seed = engine_of(model), 0.0, 0
    while not accepted and seed < 5:
        ids = prompt(seed)
        for settings in SETTINGS:
            kwargs = settled(model, ids, settings)
            generation = run(engine, directive, kwargs)
            assert torch.equal(generation.output, model.generate(**kwargs)), settings
            accepted += generation.counts["draft_accepted"]
        seed += 1
    assert accepted > 0, "no guess was ever right: nothing was tried"


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_the_soft_ending_of_a_budget_is_kept(
    make_tiny: Callable[..., Any], tokenizer: Any, directive: Directive
) -> None:
    model = make_tiny("llama")
    engine = engine_of(model, tokenizer=tokenizer)
    budget = Budget(max_new_tokens=14, soft_tokens=12)
    for seed in range(3):
        kwargs = greedy(prompt(seed), max_new_tokens=60)
        alone = run(engine, Directive(name="capped", budget=budget), kwargs)
        both = run(engine, Directive(name="both", budget=budget, draft=directive.draft), kwargs)
        assert torch.equal(both.output, alone.output)
        assert both.finish_reason == alone.finish_reason


@pytest.mark.parametrize("draft", [LOOKUP.draft, ASSISTED.draft], ids=["lookup", "assistant"])
def test_a_draft_checks_by_the_layers_that_an_early_exit_leaves(make: Callable[..., Any], draft: Draft) -> None:
    engine = engine_of(make("llama"))
    exits = EarlyExit(depth=Depth(first=2))
    alone = run(engine, Directive(name="alone", early_exit=exits), greedy(prompt()))
    both = run(engine, Directive(name="both", early_exit=exits, draft=draft), greedy(prompt()))
    assert torch.equal(both.output, alone.output)


def test_guesses_that_are_all_right_are_all_taken_and_counted(make: Callable[..., Any]) -> None:
    model = make("llama")
    generation = run(engine_of(model, copy.deepcopy(model)), ASSISTED, greedy(prompt(), max_new_tokens=24))
    assert generation.counts == {"draft_rounds": 6, "draft_accepted": 18}


def test_an_end_token_inside_a_draft_ends_the_answer(make: Callable[..., Any]) -> None:
    model = make("llama")
    kwargs = settled(model, prompt(), {"eos_token_id": "tenth"})
    generation = run(engine_of(model, copy.deepcopy(model)), ASSISTED, kwargs)
    assert torch.equal(generation.output, model.generate(**kwargs))
    assert generation.finish_reason == "eos"


@pytest.mark.parametrize("size", [SIZE - 60, SIZE + 20])
def test_padding_of_the_assistants_embeddings_does_not_matter(make: Callable[..., Any], size: int) -> None:
    model = make("llama")
    engine = engine_of(model, make("llama", vocab_size=size))
    for settings in SETTINGS:
        kwargs = settled(model, prompt(), settings)
        assert torch.equal(run(engine, ASSISTED, kwargs).output, model.generate(**kwargs)), settings
    sampled = engine.inspect((), greedy(prompt(), do_sample=True))
    assert "another vocabulary" in str(engine.refusal(ASSISTED, sampled))


def test_an_assistant_may_read_other_tokens(make: Callable[..., Any]) -> None:
    own = trained(SIZE, "the quick brown fox jumps over the lazy dog", "What is the longest river of the continent?")
    other = trained(280, "the quick brown fox jumps over the lazy dog")
    model = make("llama", vocab_size=len(own))
    engine = engine_of(model, make("mistral", vocab_size=len(other), sliding_window=8), own, other)
    only_special = torch.tensor([[0, 1, 2, 0, 0]])  # has no text at all
    for ids in (prompt() % len(own), only_special):
        for settings in SETTINGS:
            kwargs = settled(model, ids, settings)
            if settings.get("max_length") and ids is only_special:
                continue
            assert torch.equal(run(engine, ASSISTED, kwargs).output, model.generate(**kwargs)), settings
    sampled = engine.inspect((), greedy(prompt() % len(own), do_sample=True))
    assert "another vocabulary" in str(engine.refusal(ASSISTED, sampled))


@pytest.fixture(scope="module")
def smollm2_fp32(smollm2: tuple[Any, Any]) -> Any:
    """At 32 bits no two tokens of the answers below are equally likely."""
    return copy.deepcopy(smollm2[0]).float()


@pytest.mark.parametrize("guesser", ["lookup", "depth", "same tokens", "other tokens"])
def test_the_real_model_answers_the_same(smollm2_fp32: Any, tokenizer: Any, guesser: str) -> None:
    other = tokenizer
    if guesser == "other tokens":
        other = copy.deepcopy(tokenizer)
        other.add_tokens(["a token that the model does not have"])
    engine = engine_of(smollm2_fp32, smollm2_fp32, tokenizer, other)
    question = "Repeat this sentence: The quick brown fox jumps over the lazy dog."
    directive = {"lookup": LOOKUP, "depth": Directive(name="d", draft=Draft(tokens=2, depth=0.8))}.get(
        guesser, ASSISTED
    )
    call = engine.inspect(
        (), {"max_new_tokens": 14, "do_sample": False}, messages=[{"role": "user", "content": question}]
    )
    generation = engine.run(engine.plan(directive, call), call, Window())
    assert torch.equal(generation.output, smollm2_fp32.generate(**call.kwargs))
    assert generation.counts["draft_accepted"] > 0


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED], ids=lambda d: d.name)
def test_sampled_tokens_keep_their_distribution(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama", vocab_size=6, num_hidden_layers=1, bos_token_id=0, pad_token_id=0)
    engine = engine_of(model)
    ids = torch.tensor([[1, 4, 1, 4, 1]])
    kwargs = greedy(ids, do_sample=True, temperature=8.0, top_k=4, max_new_tokens=2)
    torch.manual_seed(3)
    seen = Counter(tuple(run(engine, directive, kwargs).output[0, -2:].tolist()) for _ in range(300))
    expected = {}
    for first, p_first in chances(model, ids).items():
        for second, p_second in chances(model, torch.cat([ids, torch.tensor([[first]])], dim=1)).items():
            expected[first, second] = 300 * p_first * p_second
    assert seen.keys() <= expected.keys()
    frequent = [pair for pair, count in expected.items() if count >= 5]
    rest = 300 - sum(expected[pair] for pair in frequent)
    counted = [*(seen[pair] for pair in frequent), 300 - sum(seen[pair] for pair in frequent)]
    wanted = [*(expected[pair] for pair in frequent), rest]
    kept = [(c, w) for c, w in zip(counted, wanted, strict=True) if w > 0.5]
    scale = sum(c for c, _ in kept) / sum(w for _, w in kept)
    assert len(kept) > 4
    assert chisquare([c for c, _ in kept], [w * scale for _, w in kept]).pvalue > 0.001


def chances(model: Any, ids: torch.Tensor) -> dict[int, float]:
    with torch.no_grad():
        best = (model(ids).logits[0, -1] / 8.0).topk(4)
    return dict(zip(best.indices.tolist(), best.values.softmax(dim=-1).tolist(), strict=True))
