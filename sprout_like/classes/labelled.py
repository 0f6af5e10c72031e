"""Labelled texts to learn from: a file of prompts with their tasks, or the prompts that a ledger keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from directives import PolicyError
from directives.classes import Classes, train
from sprout_like.classes.asked import asked
from sprout_like.errors import NothingToLearn
from sprout_like.evaluating.prompts_file import read_prompts
from sprout_like.ledger.schema import PromptRow

__all__ = ["Labelled", "learn", "of_file", "of_ledger"]

Labelled = Sequence[tuple[str, str]]
"""Pairs (text, task)."""


def of_file(file: Path) -> Labelled:
    """The prompts of a file that have a task.

    Raises:
        SettingError: the file cannot be read, or a line is no prompt.
        NothingToLearn: none of its prompts has a task.
    """
    pairs = _pairs((prompt.messages, prompt.task) for prompt in read_prompts(file, limit_tokens=1))
    if not pairs:
        raise NothingToLearn(f"{file}: none of its prompts has a task. Give each line one: {_EXAMPLE}")
    return pairs


def of_ledger(engine: Engine) -> Labelled:
    """The prompts kept in a ledger whose request had a tag for its task.

    Raises:
        NothingToLearn: it keeps none.
    """
    with engine.connect() as connection:
        kept = connection.execute(select(PromptRow.messages, PromptRow.task).where(PromptRow.task.is_not(None)))
        pairs = _pairs((messages, task) for messages, task in kept)
    if not pairs:
        raise NothingToLearn(
            "the ledger keeps no prompt that has a task. Set sample_share above 0 and tag requests with task=…, or "
            "train from a file of prompts"
        )
    return pairs


def learn(labelled: Labelled, *, origin: str, seed: int) -> Classes:
    """`directives.classes.train`, its complaints in the name of where the texts come from.

    Raises:
        NothingToLearn: there are too few texts, or too few kinds of them.
    """
    try:
        return train(labelled, seed=seed)
    except PolicyError as exc:
        raise NothingToLearn(f"{origin}: {str(exc).removeprefix('classes: ')}") from None


_EXAMPLE = '{"prompt": "What is 6 x 7?", "task": "math"}'


def _pairs(prompts: Iterable[tuple[Sequence[Mapping[str, Any]], str | None]]) -> Labelled:
    asked_for = ((asked(messages), task) for messages, task in prompts)
    return [(text, task) for text, task in asked_for if text is not None and task]
