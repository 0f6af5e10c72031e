"""Finds what a user asked in a prompt that somebody else rendered from a conversation.

What a chat template puts around it, a default system message above all, is alike for every task, and would decide the
class of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Turns", "turns_of"]

_FIRST: Final = "FIRSTQUESTION"
_ANSWER: Final = "FIRSTANSWER"
_LAST: Final = "LASTQUESTION"


@dataclass(frozen=True, slots=True)
class Turns:
    """What stands right before and right after each user message; `closer` is empty where nothing does."""

    opener: str
    closer: str

    def last_user_text(self, prompt: str) -> str | None:
        """The last user message of a rendered prompt; None where the prompt does not show its beginning."""
        begin = prompt.rfind(self.opener)
        if begin < 0:
            return None
        asked = prompt[begin + len(self.opener) :]
        return (asked.partition(self.closer)[0] if self.closer else asked).strip()

    def are_in(self, prompt: str) -> bool:
        """Whether the prompt was rendered from a conversation at all."""
        return self.opener in prompt or (bool(self.closer) and self.closer in prompt)


def turns_of(tokenizer: Any) -> Turns | None:
    """Those of a tokenizer's chat template, found by rendering a conversation; None where they cannot be told.

    Raises:
        Exception: whatever the template raises.
    """
    messages = [
        {"role": "user", "content": _FIRST},
        {"role": "assistant", "content": _ANSWER},
        {"role": "user", "content": _LAST},
    ]
    asking, ended = (
        str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=more))
        for more in (True, False)
    )
    if not all(asking.count(text) == 1 for text in (_FIRST, _ANSWER, _LAST)):
        return None
    before_first = asking.partition(_FIRST)[0]
    before_last = asking.partition(_ANSWER)[2].partition(_LAST)[0]
    opener = _common(before_first[::-1], before_last[::-1])[::-1]
    closer = _common(asking.partition(_LAST)[2], ended.partition(_LAST)[2])
    # Some tokenizers decode a first token with a space after it that the template has not.
    opener = opener.removeprefix(getattr(tokenizer, "bos_token", None) or "").strip()
    return Turns(opener, closer.strip()) if opener else None


def _common(one: str, other: str) -> str:
    """What both begin with."""
    alike = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:alike]
