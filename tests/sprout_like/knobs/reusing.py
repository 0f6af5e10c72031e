"""What the tests of the `reuse` knob share: an engine that keeps answers and beginnings, and calls that begin alike."""

from __future__ import annotations

from typing import Any

import torch

from directives import Directive
from sprout_like.engines.engine import Call, Generation, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.reuse.memory_answers import MemoryAnswers
from sprout_like.reuse.prefixes import PrefixCache
from tests.sprout_like.knobs.calling import Window

FAMILIES = ["llama", "qwen2", "qwen3", "mistral", "gemma", "phi", "olmo2", "gpt2", "gpt_neox"]


class Stream:
    def __init__(self) -> None:
        self.values: list[list[Any]] = []
        self.ended = 0

    def put(self, value: torch.Tensor) -> None:
        self.values.append(value.tolist())

    def end(self) -> None:
        self.ended += 1


def engine_of(model: Any, tokenizer: Any = None, prefix_bytes: int = 10**8) -> HuggingFaceEngine:
    answers = MemoryAnswers(most_entries=100, most_bytes=10**6)
    return HuggingFaceEngine(model, tokenizer, answers=answers, prefixes=PrefixCache(most_bytes=prefix_bytes))


def planned(engine: HuggingFaceEngine, directive: Directive, call: Call) -> Plan:
    assert engine.refusal(directive, call) is None
    return engine.plan(directive, call)


def served(engine: HuggingFaceEngine, directive: Directive, call: Call) -> Generation:
    plan = planned(engine, directive, call)
    return plan.answer or engine.run(plan, call, Window())


def asked(engine: HuggingFaceEngine, ids: torch.Tensor, **kwargs: Any) -> Call:
    form = {"attention_mask": torch.ones_like(ids), "do_sample": False, "max_new_tokens": 12}
    return engine.inspect((), {"input_ids": ids, **form, **kwargs})


def prompts(count: int, shared: int = 100) -> list[torch.Tensor]:
    """Prompts of one beginning."""
    random = torch.Generator().manual_seed(5)
    start = torch.randint(3, 5000, (1, shared), generator=random)
    rest = [torch.randint(3, 5000, (1, 5 + number), generator=random) for number in range(count)]
    return [torch.cat([start, each], dim=1) for each in rest]
