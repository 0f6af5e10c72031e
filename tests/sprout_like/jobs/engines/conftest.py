"""Prompts, and a window that takes no energy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from directives import FULL, Directive
from sprout_like.jobs.engines.engine import Ask

TEXTS = ("Why is the sky blue?", "Hi", "Name a colour. " * 7, "How does a bird know where to fly in autumn?", "No.")


class NoWindow:
    """Counts how often it was interrupted."""

    def __init__(self) -> None:
        self.paused = 0

    def pause(self) -> None:
        self.paused += 1

    def resume(self) -> None:
        self.paused -= 1


@pytest.fixture
def window() -> NoWindow:
    """A metering window of no meter."""
    return NoWindow()


@pytest.fixture(scope="session")
def ask() -> Callable[..., Ask]:
    """Makes a prompt: `ask("Hi", 12, directive, top_k=3)`."""

    def make(text: str, limit: int = 8, directive: Directive = FULL, **arguments: Any) -> Ask:
        return Ask(
            messages=[{"role": "user", "content": text}],
            arguments={"max_new_tokens": limit, "do_sample": False, **arguments},
            directive=directive,
        )

    return make


@pytest.fixture(scope="session")
def mixed(ask: Callable[..., Ask]) -> Callable[..., list[Ask]]:
    """Prompts of several lengths and limits."""

    def make(**arguments: Any) -> list[Ask]:
        return [ask(text, limit, **arguments) for text, limit in zip(TEXTS, (3, 9, 1, 6, 13), strict=True)]

    return make


@pytest.fixture(scope="session")
def alone(tokenizer: Any) -> Callable[[Any, Ask], str]:
    """What the model itself answers to one prompt."""

    def answer(model: Any, prompt: Ask) -> str:
        rendered = tokenizer.apply_chat_template(
            list(prompt.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        output = model.generate(**rendered, **prompt.arguments)
        return str(tokenizer.decode(output[0, rendered["input_ids"].shape[1] :], skip_special_tokens=True)).strip()

    return answer
