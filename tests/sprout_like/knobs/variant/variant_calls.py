"""What the tests of variants share: the directives, and calls whose answers can be compared."""

from __future__ import annotations

from typing import Any

import torch

from directives import Directive, Variant
from sprout_like.engines.engine import Generation, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from tests.sprout_like.knobs.calling import Window

OTHER = Directive(name="other_model", variant="other")
HALF = Directive(name="half_precision", variant="half")
IN_HALF = {"half": Variant(name="half", precision="bf16")}
MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]


def run(engine: HuggingFaceEngine, directive: Directive, **call: Any) -> tuple[Plan, Generation]:
    inspected = engine.inspect((), call.pop("kwargs", {}), **call)
    assert engine.refusal(directive, inspected) is None
    plan = engine.plan(directive, inspected)
    return plan, engine.run(plan, inspected, Window())


def refusal(engine: HuggingFaceEngine, directive: Directive, **call: Any) -> str | None:
    return engine.refusal(directive, engine.inspect((), call.pop("kwargs", {}), **call))


def rendered(tokenizer: Any, messages: Any = MESSAGES) -> dict[str, torch.Tensor]:
    return dict(
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    )


def answer(model: Any, prompt: dict[str, torch.Tensor], **settings: Any) -> list[int]:
    out = model.generate(**prompt, **{"max_new_tokens": 6, "do_sample": False, **settings})
    return out[0, prompt["input_ids"].shape[1] :].tolist()
