"""Calls that no variant can answer as they were meant, and catalogues that no model can serve."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from directives import Budget, Directive
from sprout_like import CarbonAware, SettingError
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.testing import FakeMeter, MemoryLedger
from tests.sprout_like.knobs.variant.variant_calls import HALF, IN_HALF, MESSAGES, OTHER, refusal, rendered, run

pytestmark = pytest.mark.model


def test_a_prompt_of_tokens_never_goes_to_a_model_that_reads_them_otherwise(
    to_stranger: HuggingFaceEngine, tokenizer: Any
) -> None:
    assert "its vocabulary differs" in str(refusal(to_stranger, OTHER, kwargs=rendered(tokenizer)))


def test_special_tokens_count_as_meaning(plain: Any, tokenizer: Any, sibling: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.add_special_tokens({"additional_special_tokens": ["the"]})
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, other)})
    assert "special tokens differ" in str(refusal(engine, OTHER, kwargs=rendered(tokenizer)))


@pytest.mark.parametrize(
    "bound",
    [
        {"eos_token_id": 7},
        {"pad_token_id": 7},
        {"bad_words_ids": [[7]]},
        {"logits_processor": [object()]},
        {"stopping_criteria": [object()]},
        {"stop_strings": ["."]},
        {"streamer": object()},
        {"generation_config": GenerationConfig(max_new_tokens=3)},
        {"output_scores": True},
        {"a_setting_of_a_later_release": 1},
    ],
    ids=lambda bound: next(iter(bound)),
)
def test_what_is_bound_to_the_models_tokenizer_stays_with_it(
    to_stranger: HuggingFaceEngine, bound: dict[str, Any]
) -> None:
    assert refusal(to_stranger, OTHER, messages=MESSAGES, kwargs={"max_new_tokens": 3, "temperature": 0.5}) is None
    assert next(iter(bound)) in str(refusal(to_stranger, OTHER, messages=MESSAGES, kwargs=bound))


@pytest.mark.parametrize(
    ("kwargs", "why"),
    [
        ({"inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "past_key_values": object()}, "past_key_values"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "assistant_model": object()}, "assistant_model"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "max_length": 4}, "no room for an answer"),
    ],
    ids=["embeds", "cache", "assistant", "limit"],
)
def test_a_call_that_is_bound_to_the_model_is_refused(plain: Any, tokenizer: Any, kwargs: Any, why: str) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    assert why in str(refusal(engine, HALF, kwargs=kwargs))


def test_a_variant_with_fewer_positions_takes_what_fits(
    plain: Any, tokenizer: Any, make_tiny: Callable[..., Any]
) -> None:
    small = make_tiny("llama", max_position_embeddings=64)
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (small, tokenizer)})
    capped = Directive(name="capped", variant="other", budget=Budget(max_new_tokens=8))
    kwargs = {**rendered(tokenizer), "max_new_tokens": 60}
    assert "64 positions of 'other'" in str(refusal(engine, OTHER, kwargs=kwargs))
    assert refusal(engine, capped, kwargs=kwargs) is None


def test_a_model_without_tokenizer_has_its_own_precisions_and_no_other_models(
    plain: Any, tokenizer: Any, sibling: Any
) -> None:
    engine = HuggingFaceEngine(plain, None, variants=IN_HALF, supplied={"other": (sibling, tokenizer)})
    kwargs = rendered(tokenizer)
    assert "without a tokenizer" in str(refusal(engine, OTHER, kwargs=kwargs))
    plan, _ = run(engine, HALF, kwargs={**kwargs, "max_new_tokens": 2})
    assert plan.runner.dtype == torch.bfloat16


def test_an_instruction_is_judged_by_the_variants_template(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, retemplated(None))})
    told = Directive(name="told", variant="other", instruction="Be brief.")
    assert "no chat template" in str(engine.misfit(told))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[directive.x]\nvariant = "smal"\n[variant.small]\nprecision = "bf16"\n', "variant 'smal'.*mean 'small'"),
        ('[directive.x]\nvariant = "small"\n[variant.small]\nmodel = "/no/such"\n', "variant 'small'.*/no/such"),
        ('[directive.x]\nvariant = "small"\n[variant.small]\nprecision = "fp32"\n', "variant 'small'.*fp32 already"),
    ],
    ids=["unknown", "missing", "same"],
)
def test_a_catalogue_with_an_impossible_variant_is_refused_with_file_directive_and_key(
    plain: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    monkeypatch.setenv("SPROUT_CATALOGUE", str(file))
    with pytest.raises(SettingError, match=rf"mine\.toml, directive 'x': {why}"):
        CarbonAware(plain, tokenizer, grid=150, ledger=MemoryLedger(), meter=FakeMeter(), policy="full")
