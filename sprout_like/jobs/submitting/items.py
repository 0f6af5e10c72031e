"""From prompts, in a file or in Python, to the items of a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sprout_like.errors import JobError
from sprout_like.evaluating.prompt import Prompt
from sprout_like.evaluating.prompts_file import MOST_LIMIT_TOKENS, prompt_of, read_prompts
from sprout_like.jobs.job import Item

__all__ = ["items_of", "items_of_file"]


def items_of_file(file: Path, *, limit_tokens: int) -> list[Item]:
    """The items of a file of prompts; see `read_prompts` for what it may hold. A `reference` is left aside.

    Raises:
        SettingError: the file cannot be read, or a line is no prompt; the message names its number, never its text.
        NothingToLearn: it holds no prompt.
    """
    return _numbered(read_prompts(file, limit_tokens=limit_tokens))


def items_of(
    prompts: Iterable[str | Sequence[Mapping[str, str]] | Mapping[str, Any]],
    *,
    limit_tokens: int,
    template: Mapping[str, Any] | None = None,
) -> list[Item]:
    """The items of prompts in Python.

    Args:
        prompts: each a text, a list of chat messages, or an object with the keys of a line of a file of prompts.
        limit_tokens: limit on new tokens of prompts that name none.
        template: arguments of the chat template, for all of them.

    Raises:
        SettingError: one is no prompt; the message names its place, from 0, never its text.
        JobError: they are none, or one alone, or the limit is no number of tokens.
    """
    if isinstance(prompts, (str, bytes, bytearray, Mapping)) or not isinstance(prompts, Iterable):
        raise JobError(f"prompts: this is a {type(prompts).__name__}, not a list of prompts. Give a list of them")
    if (
        isinstance(limit_tokens, bool)
        or not isinstance(limit_tokens, int)
        or not 1 <= limit_tokens <= MOST_LIMIT_TOKENS
    ):
        raise JobError(f"limit_tokens: {limit_tokens!r} is no whole number from 1 to {MOST_LIMIT_TOKENS}")
    asked = [
        prompt_of(f"prompts[{n}]", _as_object(n, prompt), limit_tokens=limit_tokens) for n, prompt in enumerate(prompts)
    ]
    if not asked:
        raise JobError("prompts: there are none. Give at least one")
    return _numbered(asked, template or {})


def _as_object(number: int, prompt: object) -> Mapping[str, Any]:
    match prompt:
        case str():
            return {"prompt": prompt}
        case Mapping():
            return prompt
        case Sequence() if not isinstance(prompt, (bytes, bytearray)):
            return {"messages": [dict(message) if isinstance(message, Mapping) else message for message in prompt]}
    kind = type(prompt).__name__
    raise JobError(f"prompts[{number}]: a {kind} is no prompt. Give a text, a list of chat messages or an object")


def _numbered(prompts: Sequence[Prompt], template: Mapping[str, Any] | None = None) -> list[Item]:
    return [
        Item(
            place=place,
            messages=prompt.messages,
            template=template or {},
            arguments=prompt.arguments,
            task=prompt.task,
            own_id=prompt.own_id,
        )
        for place, prompt in enumerate(prompts)
    ]
