"""What can never be applied to a model is no candidate for its calls, also where the catalogue is built in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from directives import Catalogue
from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.testing import MemoryLedger

pytestmark = pytest.mark.model

# Family and configuration, and what it rules out.
MODELS = {
    "a sliding window": (("mistral", {"sliding_window": 16}), {"fp8_cache", "shared_prefix"}),
    "positions that move": (
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}),
        {"lookup", "self_draft", "confident"},
    ),
    "one layer": (("llama", {"num_hidden_layers": 1}), {"shallow", "confident", "self_draft"}),
    "no layers that can be told apart": (("gpt2", {}), {"shallow", "confident", "self_draft"}),
}


@pytest.mark.parametrize("kind", MODELS)
def test_pinned_it_is_served_full(kind: str, make_tiny: Callable[..., Any], tokenizer: Any) -> None:
    (family, changes), never = MODELS[kind]
    model, ledger = make_tiny(family, **changes), MemoryLedger()
    ids = tokenizer("one two one two one two one two one two", return_tensors="pt").input_ids
    bare = model.generate(ids, max_new_tokens=8, do_sample=False)
    with CarbonAware(model, tokenizer, grid=100, ledger=ledger, policy="full") as aware:
        refusals = aware.refusals(ids, max_new_tokens=8, do_sample=False)
        for name in never:
            out = aware.using(policy=name).generate(ids, max_new_tokens=8, do_sample=False)
            assert (out == bare).all()
    assert never <= refusals.keys()
    assert {row.directive for row in ledger.requests} == {"full"}
    assert {row.propensity for row in ledger.requests} == {1.0}


def test_a_policy_that_can_choose_what_never_fits_is_told_of_at_once(
    make_tiny: Callable[..., Any], tokenizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for policy in ("shallow", "lookup"):
        CarbonAware(make_tiny("gpt2"), tokenizer, grid=100, ledger=MemoryLedger(), policy=policy).close()
    (said,) = (record.getMessage() for record in caplog.records if "never fits" in record.getMessage())
    assert "shallow" in said
    assert "gpt2" in said


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "mamba"])
def test_no_builtin_directive_fails_on_a_call_that_it_accepted(
    family: str, make_tiny: Callable[..., Any], tokenizer: Any
) -> None:
    changes = {"state_size": 4, "num_hidden_layers": 2} if family == "mamba" else {}
    model, ledger = make_tiny(family, **changes), MemoryLedger()
    with CarbonAware(model, tokenizer, grid=100, ledger=ledger, policy="full") as aware:
        ids = tokenizer("one two one two one two", return_tensors="pt").input_ids
        for name in Catalogue.builtin().directives:
            aware.using(policy=name).generate(ids, max_new_tokens=4, do_sample=False)
    assert {row.status for row in ledger.requests} == {"ok"}
    assert None not in {row.propensity for row in ledger.requests}


def test_a_chat_may_be_asked_about_by_its_text(make_tiny: Callable[..., Any], tokenizer: Any) -> None:
    with CarbonAware(make_tiny("llama"), tokenizer, grid=100, ledger=MemoryLedger(), policy="full") as aware:
        refusals = aware.refusals(messages="Why?")
    assert "answer_cache" in refusals["kept_answers"]
    assert "brief" not in refusals


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_reuse_is_no_candidate_where_changes_of_the_weights_cannot_be_seen(
    precision: str, make_tiny: Callable[..., Any], tokenizer: Any, tmp_path: Path
) -> None:
    pytest.importorskip("torchao" if precision == "int8" else "bitsandbytes")
    file = tmp_path / "own.toml"
    directive = '[directive.small]\nvariant = "small"\nreuse.prefix = true\n'
    file.write_text(f'{directive}[variant.small]\nprecision = "{precision}"')
    model = make_tiny("llama", hidden_size=64, head_dim=16)
    with pytest.raises(SettingError, match=r"own\.toml, directive 'small': reuse: changes of the model's weights"):
        CarbonAware(
            model, tokenizer, grid=100, ledger=MemoryLedger(), settings=Settings.load(catalogue=file, policy="small")
        )


@pytest.mark.parametrize("toml", ["reuse.prefix = true", "draft.depth = 1", "early_exit.depth.first = 1"])
def test_a_variant_that_turns_out_otherwise_is_not_served_by_half(
    toml: str, make_tiny: Callable[..., Any], tokenizer: Any, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'[directive.other]\nvariant = "other"\n{toml}\n')
    hooked, ledger = make_tiny("llama"), MemoryLedger()
    hooked.model.register_forward_hook(lambda *_: None)
    hooked.model.forward = functools.partial(type(hooked.model).forward, hooked.model)
    settings = Settings.load(catalogue=file, policy="other")
    parts = {"variants": {"other": (hooked, tokenizer)}, "settings": settings, "ledger": ledger}
    with CarbonAware(make_tiny("llama"), tokenizer, grid=100, **parts) as aware:
        aware.chat("Why? " * 40, max_new_tokens=4, do_sample=False)
    (row,) = ledger.requests
    assert (row.directive, row.propensity, row.status) == ("full", None, "ok")
    assert "VariantUnavailable" in (row.decision_reason or "")


def test_padding_without_a_mask_is_no_part_of_a_kept_beginning(make_tiny: Callable[..., Any], tokenizer: Any) -> None:
    model, ledger = make_tiny("llama", pad_token_id=5), MemoryLedger()
    model.generation_config.pad_token_id = 5
    text = tokenizer("one two three four five six seven eight nine ten " * 6, return_tensors="pt").input_ids
    pad = torch.full((1, 3), 5)
    for ids in (torch.cat([pad, text], dim=1), torch.cat([text[:, :40], pad, text[:, 40:]], dim=1)):
        bare = model.generate(ids, max_new_tokens=8, do_sample=False)
        with CarbonAware(model, tokenizer, grid=100, ledger=ledger, policy="shared_prefix") as aware:
            for _ in range(3):
                assert (aware.generate(ids, max_new_tokens=8, do_sample=False) == bare).all()
    assert {row.prompt_tokens for row in ledger.requests} == {text.shape[1]}


def test_a_prompt_padded_on_the_left_without_a_mask_takes_an_instruction(
    make_tiny: Callable[..., Any], tokenizer: Any
) -> None:
    model, ledger = make_tiny("llama", pad_token_id=5), MemoryLedger()
    model.generation_config.pad_token_id = 5
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Why?"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    with CarbonAware(model, tokenizer, grid=100, ledger=ledger, policy="brief") as aware:
        alone = aware.generate(ids, max_new_tokens=8, do_sample=False)
        padded = aware.generate(torch.cat([torch.full((1, 4), 5), ids], dim=1), max_new_tokens=8, do_sample=False)
    assert (padded[:, 4:] == alone).all()
    one, other = ledger.requests
    assert one.directive == other.directive == "brief"
    assert one.instruction_tokens == other.instruction_tokens
