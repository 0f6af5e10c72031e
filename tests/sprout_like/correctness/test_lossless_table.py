"""Every lossless knob, alone and in every legal combination, gives the tokens of the model's own greedy `generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.model

FAMILIES = ("llama", "qwen2", "mistral", "gemma", "phi", "gpt2")
AXES = (("sure",), ("look", "help", "self"), ("flat",), ("kept",), ("pre",))
ALONE = tuple(knob for axis in AXES for knob in axis)
REFUSED = {"gpt2": {"sure", "self"}, "mistral": {"pre"}}
"""By family: its layers cannot be chosen; they forget what slides out of their window."""


def test_no_combination_is_refused_that_could_be_honoured(legal_directives: Callable[..., Any]) -> None:
    """The exit, three drafts and a static cache, each with and without kept answers; and three ways of reuse alone."""
    assert len(legal_directives(*AXES)) == 5 * 2 + 3


@pytest.fixture(scope="module")
def real(smollm2: tuple[Any, Any]) -> Any:
    """SmolLM2 in float32, in which the order of additions decides no token."""
    import copy

    return copy.deepcopy(smollm2[0]).float()


def _times(parts: tuple[str, ...]) -> int:
    """A beginning is seen, then kept, then used; an answer is kept, then used."""
    return 3 if "pre" in parts else 2 if "kept" in parts else 1


def differing(served: Any, directives: Any, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """What differs from bare `generate`, by directive; where something is kept, the last call must use it."""
    wanted = [served.bare(**call) for call in calls]
    wrong: dict[str, Any] = {}
    for directive, parts in directives.items():
        for call, tokens in zip(calls, wanted, strict=True):
            reuses = []
            for time in range(_times(parts)):
                got, record = served.under(directive, **call)
                reuses.append(record.reuse)
                if got != tokens:
                    length = call["input_ids"].shape[1]
                    wrong[f"{directive}, call {time + 1}"] = [
                        (g[length:], t[length:]) for g, t in zip(got, tokens, strict=True)
                    ]
            if "kept" in parts and reuses[-1] != "answer":
                wrong[f"{directive} kept nothing"] = reuses
            if "pre" in parts and "kept" not in parts and reuses[-1] != "prefix":
                wrong[f"{directive} shared nothing"] = reuses
    return wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_tiny_models_of_every_family(
    serve: Any, varied: Any, legal_directives: Any, prompt: Any, questions: Any, family: str
) -> None:
    refused = REFUSED.get(family, set())
    directives = {name: parts for name, parts in legal_directives(*AXES).items() if refused.isdisjoint(parts)}
    served = serve(varied(family), directives)
    calls = [{**prompt(each), "max_new_tokens": 20, "do_sample": False} for each in questions]

    assert differing(served, directives, calls) == {}


def test_the_real_model_in_any_combination(
    serve: Any, real: Any, smollm2: tuple[Any, Any], legal_directives: Any, prompt: Any, questions: Any
) -> None:
    """In bf16 the same model is a good assistant with a different opinion now and then."""
    directives = {name: parts for name, parts in legal_directives(*AXES).items() if len(parts) > 1}
    served = serve(real, directives, twin=smollm2[0])

    calls = [{**prompt(questions[0]), "max_new_tokens": 10, "do_sample": False}]
    assert differing(served, directives, calls) == {}


def test_the_real_model_at_some_length(
    serve: Any, real: Any, smollm2: tuple[Any, Any], prompt: Any, questions: Any
) -> None:
    served = serve(real, ALONE, twin=smollm2[0])

    wrong = {}
    for question in (*questions, "Write a short poem about a lighthouse."):
        call = {**prompt(question), "max_new_tokens": 32, "do_sample": False}
        wanted = served.bare(**call)
        assert len(wanted[0]) - call["input_ids"].shape[1] > 24
        answers = {knob: served.under(knob, **call)[0] for knob in ALONE}
        wrong |= {(knob, question): answer for knob, answer in answers.items() if answer != wanted}
    assert wrong == {}
    assert served.ledger.requests[-1].reuse == "prefix"


@pytest.mark.parametrize("directives", [("sure", "kept", "flat")])
def test_the_real_model_in_bf16(
    serve: Any, smollm2: tuple[Any, Any], prompt: Any, questions: Any, directives: tuple[str, ...]
) -> None:
    """Knobs that compute each token as `generate` does: no other order of additions, hence equal at any precision."""
    served = serve(smollm2[0], directives)

    calls = [{**prompt(each), "max_new_tokens": 12, "do_sample": False} for each in questions]
    assert differing(served, {name: (name,) for name in directives}, calls) == {}


@pytest.mark.parametrize("directive", ["flat", "kept", "flat_kept"])
@pytest.mark.parametrize("family", FAMILIES)
def test_batches_padded_on_the_left(
    serve: Any, varied: Any, prompt: Any, questions: Any, directive: str, family: str
) -> None:
    served = serve(varied(family), [directive])
    call = {**prompt(*questions, "Why?"), "max_new_tokens": 16, "do_sample": False}

    assert differing(served, {directive: tuple(directive.split("_"))}, [call]) == {}


@pytest.mark.parametrize("end_after", [1, 4, 9])
@pytest.mark.parametrize("family", ["llama", "gemma"])
def test_an_end_token_wherever_it_falls(
    serve: Any, varied: Any, legal_directives: Any, prompt: Any, questions: Any, end_after: int, family: str
) -> None:
    """In the middle of a draft, at its end, as the first token."""
    directives = legal_directives(*AXES)
    served = serve(varied(family), directives)
    call = {**prompt(questions[1]), "max_new_tokens": 20, "do_sample": False}
    length = call["input_ids"].shape[1]
    end = served.bare(**call)[0][length + end_after - 1]

    assert differing(served, directives, [{**call, "eos_token_id": end, "pad_token_id": 0}]) == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"min_new_tokens": 11},
        {"repetition_penalty": 1.4},
        {"no_repeat_ngram_size": 2},
        {"suppress_tokens": [5, 6, 7], "bad_words_ids": [[8, 9]]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_of_the_call(
    serve: Any, varied: Any, legal_directives: Any, prompt: Any, questions: Any, settings: dict[str, Any]
) -> None:
    directives = legal_directives(*AXES)
    served = serve(varied("llama"), directives)
    call = {**prompt(questions[1]), "max_new_tokens": 17, "do_sample": False, **settings}

    assert differing(served, directives, [call]) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_answers_vary_and_the_assistant_is_now_and_then_right(
    varied: Any, twin_of: Any, prompt: Any, questions: Any, family: str
) -> None:
    """One token for ever would agree with anything, and guesses that are all right or all wrong test half a draft."""
    model = varied(family)
    for question in questions:
        ids = prompt(question)
        length = ids["input_ids"].shape[1]
        answer = model.generate(**ids, max_new_tokens=20, do_sample=False)
        assert len(torch.unique(answer[0, length:])) > 10
        guesses = twin_of(model)(answer).logits[0, length - 1 : -1].argmax(-1)
        assert 4 < int((guesses == answer[0, length:]).sum()) < 20
