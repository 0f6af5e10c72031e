"""From a call to the kind of work it is; its text is looked at and let go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from directives import PolicyError
from directives.classes import Classes, from_json
from sprout_like.classes.asked import asked
from sprout_like.classes.turns import Turns, turns_of
from sprout_like.engines.engine import Call
from sprout_like.engines.locks import lock_of
from sprout_like.errors import SettingError

__all__ = ["Inference", "open_classes"]

# Of a prompt given as tokens; the rows of a batch share them, hence few rows.
_HEAD_TOKENS: Final = 256
_TAIL_TOKENS: Final = 128
_MOST_ROWS: Final = 4


class Inference:
    """Infers the task of a call.

    A conversation is classified by its last user message, also where it was rendered to tokens by the tokenizer's own
    chat template, and any other prompt of tokens by its text. Of long ones the beginning and the end are looked at. A
    batch has a task where its rows agree; of more than four rows, four stand for all, evenly spread.

    Args:
        classes: what tells tasks apart.
    """

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._turns: dict[str, Turns | None] = {}

    def __call__(self, call: Call) -> str | None:
        """The task; None where it cannot be told."""
        agreed: str | None = None
        for text in self._texts(call):
            task = self._classes.classify(text)
            if task is None or agreed not in (None, task):
                return None
            agreed = task
        return agreed

    def _texts(self, call: Call) -> Iterator[str]:
        if call.messages is not None:
            if (text := asked(call.messages)) is not None:
                yield text
            return
        tokenizer = None if call.host is None else call.host.tokenizer
        if tokenizer is None or not call.rows:
            return
        rows = call.rows[:: -(-len(call.rows) // _MOST_ROWS)]
        head, tail = _HEAD_TOKENS // len(rows), _TAIL_TOKENS // len(rows)
        for row in rows:
            with lock_of(tokenizer):
                yield self._asked_in(_ends(row, head, tail), tokenizer)

    def _asked_in(self, row: Sequence[int], tokenizer: Any) -> str:
        turns = self._turns_of(tokenizer)
        if turns is not None:
            prompt = str(tokenizer.decode(row, skip_special_tokens=False))
            if turns.are_in(prompt):
                return turns.last_user_text(prompt) or ""
        return str(tokenizer.decode(row, skip_special_tokens=True))

    def _turns_of(self, tokenizer: Any) -> Turns | None:
        template = getattr(tokenizer, "chat_template", None)
        if not isinstance(template, str):
            return None
        if template not in self._turns:
            self._turns[template] = None  # what a template raises is raised once; then its prompts are plain text
            self._turns[template] = turns_of(tokenizer)
        return self._turns[template]


def open_classes(file: Path) -> Classes:
    """What `sprout-like classes train` wrote.

    Raises:
        SettingError: the file cannot be read, or holds something else.
    """
    try:
        return from_json(file.read_text("utf-8"), origin=str(file))
    except (OSError, UnicodeDecodeError) as exc:
        problem = f"{file} cannot be read ({getattr(exc, 'strerror', None) or 'it is no UTF-8 text'})"
        raise SettingError("classes", problem, "Name a file made by `sprout-like classes train`") from None
    except PolicyError as exc:
        problem, _, fix = str(exc).rpartition("; ")
        raise SettingError("classes", problem, f"{fix[:1].upper()}{fix[1:]}") from None


def _ends(row: Sequence[int], head: int, tail: int) -> Sequence[int]:
    return row if len(row) <= head + tail else [*row[:head], *row[-tail:]]
