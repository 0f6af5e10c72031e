"""What the contract asks of every engine."""

from __future__ import annotations

from typing import Any

from directives import FULL, Directive
from sprout_like.jobs.engines.engine import Ask

__all__ = ["POISON", "SECRET", "CountingWindow", "ask", "poisoned"]

SECRET = "xylophone"  # stands in every prompt, and must not be seen anywhere else
POISON = "poisonberry"


class CountingWindow:
    """A metering window that notes how often it was interrupted."""

    def __init__(self) -> None:
        self.pauses = self.resumes = 0

    def pause(self) -> None:
        self.pauses += 1

    def resume(self) -> None:
        self.resumes += 1


def ask(text: str = "What is rain?", limit: int = 8, directive: Directive = FULL, **arguments: Any) -> Ask:
    return Ask(
        messages=[
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": f"{SECRET}: {text}"},
        ],
        arguments={"max_new_tokens": limit, **arguments},
        directive=directive,
    )


def poisoned() -> Ask:
    """One that no engine can answer: it holds the poison, and is longer than any tiny model's context."""
    return ask(f"{POISON} {'word ' * 1_000}")
