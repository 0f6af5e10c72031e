"""Variants in time: given back between two steps of a request, outdated by training, cold when they are new."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from directives import Directive, Draft, Variant
from sprout_like import CarbonAware, Settings
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.testing import ManualClock, MemoryLedger

pytestmark = pytest.mark.model

HALF = Directive(name="half_precision", variant="half")
DRAFTED = Directive(name="drafted", draft=Draft(assistant="half"))
IN_HALF = {"half": Variant(name="half", precision="bf16")}
PROMPT = {"input_ids": torch.tensor([[5, 17, 300]]), "attention_mask": torch.ones(1, 3, dtype=torch.long)}
CALL = {**PROMPT, "max_new_tokens": 6, "do_sample": False}


def turn_around(model: Any) -> None:
    """Change the weights in place, as a step of training does."""
    with torch.no_grad():
        for parameter in model.model.layers.parameters():
            parameter.mul_(-1)


@pytest.mark.parametrize("directive", [HALF, DRAFTED], ids=lambda directive: str(directive.name))
def test_what_is_kept_is_not_given_back(tiny_model: Any, tokenizer: Any, directive: Directive) -> None:
    clock = ManualClock()
    engine = HuggingFaceEngine(tiny_model, tokenizer, variants=IN_HALF, monotonic_s=clock.monotonic_s)
    engine.make_ready(directive, nullcontext)
    kept = engine.ready(directive)
    clock.advance(601)
    engine.tick()
    assert kept is not None
    assert engine.plan(directive, engine.inspect((), CALL)).models[-1] is kept[0]
    del kept
    clock.advance(601)
    engine.tick()
    assert engine.ready(directive) is None


def test_a_copy_of_the_model_follows_its_weights(tiny_model: Any, tokenizer: Any, tmp_path: Path) -> None:
    catalogue = tmp_path / "mine.toml"
    catalogue.write_text('[directive.small]\nvariant = "half"\n[variant.half]\nprecision = "bf16"\n')
    ledger = MemoryLedger()
    parts = {"settings": Settings.load(catalogue=catalogue), "ledger": ledger, "policy": "small"}
    with CarbonAware(tiny_model, tokenizer, grid=150, meter="none", **parts) as aware:
        aware.generate(**CALL)
        turn_around(tiny_model)
        after = [aware.generate(**CALL) for _ in range(2)]
        turn_around(tiny_model)
        turn_around(tiny_model)
    expected = tiny_model.to(torch.bfloat16).generate(**CALL)
    assert all(torch.equal(output, expected) for output in after)
    assert [row.variant for row in ledger.requests] == ["half"] * 3
    assert [(row.prepare_s or 0) > 0 for row in ledger.requests] == [True, True, False]


def test_a_new_assistant_is_warmed_up_too_whatever_tokens_it_has(
    make_tiny: Callable[..., Any], tiny_model: Any, tokenizer: Any
) -> None:
    small = make_tiny("llama", vocab_size=200)
    engine = HuggingFaceEngine(tiny_model, tokenizer, supplied={"half": (small, tokenizer)})
    call = engine.inspect((), CALL)
    plan = engine.plan(DRAFTED, call)
    ran: list[str] = []
    tiny_model.register_forward_hook(lambda *_: ran.append("model"))
    small.register_forward_hook(lambda *_: ran.append("assistant"))
    with engine.hold(plan):
        engine.warm_up(plan, call)
    assert list(dict.fromkeys(ran)) == ["model", "assistant"]
