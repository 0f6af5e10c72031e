"""The continuous engine, driven as the hot path drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import torch

from directives import FULL, Directive


class Window:
    """A metering window that notes its pauses."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def pause(self) -> None:
        self.events.append("pause")

    def resume(self) -> None:
        self.events.append("resume")


@pytest.fixture
def make_continuous() -> Iterator[Callable[..., Any]]:
    """Opens a `ContinuousEngine` on a model; closed when the test ends."""
    from sprout_like.engines.continuous import ContinuousEngine
    from sprout_like.engines.hugging_face import HuggingFaceEngine

    with ExitStack() as opened:

        def make(model: Any, tokenizer: Any = None, **options: Any) -> Any:
            engine = ContinuousEngine(model, HuggingFaceEngine(model, tokenizer), **options)
            opened.callback(engine.close)
            return engine

        yield make


@pytest.fixture
def ran() -> Callable[..., Any]:
    """Runs one call of `generate` on an engine, under a directive; gives the `Generation`."""

    def run(engine: Any, *args: Any, directive: Directive = FULL, **kwargs: Any) -> Any:
        call = engine.inspect(args, kwargs)
        plan = engine.plan(directive, call)
        with engine.hold(plan):
            return engine.run(plan, call, Window())

    return run


@pytest.fixture
def mixed_calls() -> Callable[[Any, int], list[dict[str, Any]]]:
    """Makes greedy calls of many lengths and limits for a model."""

    def make(model: Any, count: int) -> list[dict[str, Any]]:
        words = torch.Generator().manual_seed(5)
        calls = []
        for index in range(count):
            shape = (1, 3 + index * 7 % 50)
            ids = torch.randint(3, model.config.vocab_size, shape, generator=words)
            limit = 2 + index * 5 % 30
            calls.append(
                {"input_ids": ids, "attention_mask": torch.ones_like(ids), "max_new_tokens": limit, "do_sample": False}
            )
        return calls

    return make
