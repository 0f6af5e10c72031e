"""Prompts from a file of the user's: JSON Lines, or plain text with one prompt a line. Nothing in it is executed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn

from sprout_like.errors import NothingToLearn, SettingError
from sprout_like.evaluating.prompt import Prompt

__all__ = ["MOST_LIMIT_TOKENS", "MOST_LINE_BYTES", "prompt_of", "read_prompts"]

MOST_LINE_BYTES: Final = 1 << 20
"""Longest line. A prompt of a megabyte fits no model; a file without line ends must not fill the memory."""

MOST_LIMIT_TOKENS: Final = 1 << 20
"""Highest limit on new tokens: more than any model's context."""

_KEYS: Final = ("prompt", "messages", "task", "reference", "limit_tokens", "id")
_KINDS: Final[Mapping[type, str]] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_EXAMPLE: Final = '{"prompt": "What is 6 x 7?", "task": "math", "reference": "42", "limit_tokens": 64}'


def read_prompts(file: Path, *, limit_tokens: int) -> list[Prompt]:
    """The file's prompts, in order; blank lines are left out.

    A file named `.txt` holds one prompt a line. Any other holds one JSON object a line: `prompt` (a text) or `messages`
    (chat messages), and optionally `task`, `reference`, `limit_tokens` and `id`. One format serves judging and jobs:
    what one of them does not need, it leaves aside.

    Args:
        file: where they are, in UTF-8.
        limit_tokens: limit on new tokens of prompts that name none. They are answered greedily.

    Raises:
        SettingError: the file cannot be read, or a line is no prompt; the message names file and line, never the text.
        NothingToLearn: it holds no prompt.
    """
    try:
        with file.open("rb") as lines:
            numbered = _lines(file, iter(lambda: lines.readline(MOST_LINE_BYTES + 1), b""))
            plain = file.suffix.lower() == ".txt"
            prompts = [
                _of_text(text, limit_tokens) if plain else _of_object(place, text, limit_tokens)
                for place, text in numbered
            ]
    except OSError as exc:
        raise SettingError(str(file), f"cannot be read ({exc.strerror})", "Name a file of prompts, one a line") from exc
    if not prompts:
        raise NothingToLearn(f"{file}: it holds no prompt. Give one a line, such as {_EXAMPLE}")
    return prompts


def _lines(file: Path, raw: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    """Each line that is not blank, with its place for messages."""
    for number, line in enumerate(raw, start=1):
        place = f"{file}:{number}"
        if len(line) > MOST_LINE_BYTES:
            raise SettingError(place, f"the line is longer than {MOST_LINE_BYTES} bytes", "Give one prompt a line")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise SettingError(place, "the line is no UTF-8 text", "Save the file as UTF-8") from None
        if text:
            yield place, text


def _of_text(text: str, limit_tokens: int) -> Prompt:
    return Prompt(messages=[{"role": "user", "content": text}], arguments=_greedy(limit_tokens))


def _of_object(place: str, text: str, limit_tokens: int) -> Prompt:
    try:
        given = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise SettingError(
            place, "the line is no JSON", f"Give {_EXAMPLE}, or name a file of plain lines .txt"
        ) from None
    if not isinstance(given, dict):
        raise SettingError(place, f"the line is {_kind(given)}, no object", f"Give {_EXAMPLE}")
    return prompt_of(place, given, limit_tokens=limit_tokens)


def prompt_of(place: str, given: Mapping[str, Any], *, limit_tokens: int) -> Prompt:
    """The prompt that an object holds, as a line of a file does.

    Args:
        place: what messages call it, such as `prompts.jsonl:7`.
        given: the object.
        limit_tokens: as for `read_prompts`.

    Raises:
        SettingError: it is no prompt; the message names the place, never the text.
    """
    for key in given:
        if key not in _KEYS:
            near = get_close_matches(str(key), _KEYS, n=1)
            fix = f"Did you mean {near[0]!r}?" if near else f"Use {', '.join(_KEYS)}"
            raise SettingError(place, f"there is no key {str(key)[:40]!r}", fix)
    limit = given.get("limit_tokens", limit_tokens)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_LIMIT_TOKENS:
        problem = f"limit_tokens is no whole number from 1 to {MOST_LIMIT_TOKENS}"
        raise SettingError(place, problem, "Give one, or leave it out")
    messages, task = _messages(place, given), _text(place, given, "task")
    reference, own_id = _text_or_number(place, given, "reference"), _text_or_number(place, given, "id")
    texts = (part for message in messages for part in message.values())
    for part in (*texts, task or "", reference or "", own_id or ""):
        if _SURROGATE.search(part):
            raise SettingError(place, "a text holds half of a surrogate pair, which is no character", "Remove it")
    return Prompt(messages=messages, task=task, reference=reference, arguments=_greedy(limit), own_id=own_id)


def _messages(place: str, given: Mapping[str, Any]) -> list[dict[str, str]]:
    if ("prompt" in given) == ("messages" in given):
        raise SettingError(place, "a line needs either prompt or messages", f"Give {_EXAMPLE}")
    if "prompt" in given:
        prompt = _text(place, given, "prompt")
        if prompt is None or not prompt.strip():
            raise SettingError(place, "prompt is empty", "Give a text")
        return [{"role": "user", "content": prompt}]
    messages = given["messages"]
    if not (isinstance(messages, list) and messages and all(map(_is_message, messages))):
        fix = 'Give a list such as [{"role": "user", "content": "Why?"}]'
        raise SettingError(place, "messages is no list of chat messages with role and content as texts", fix)
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _is_message(message: object) -> bool:
    return (
        isinstance(message, dict)
        and set(message) == {"role", "content"}
        and all(isinstance(text, str) for text in message.values())
    )


def _text(place: str, given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise SettingError(place, f"{key} is {_kind(value)}, no text", "Give a text")
    return value or None


def _text_or_number(place: str, given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _text(place, given, key)
    if not math.isfinite(value):
        raise SettingError(place, f"{key} is no finite number", "Give it as a text")
    return str(value)


def _kind(value: object) -> str:
    """What JSON calls it."""
    return _KINDS.get(type(value), "null")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _greedy(limit_tokens: int) -> dict[str, Any]:
    return {"max_new_tokens": limit_tokens, "do_sample": False}
