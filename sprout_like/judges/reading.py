"""What a judge's words mean; strictly, as a guess at what it may have meant would be ours and not its own."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Preference", "preference"]

Preference = Literal["first", "second", "tie"]

# Models that think aloud mark it so; only what comes after it is the answer.
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_ANSWER = re.compile(r"(?:(?:answer|reply|response|output)\s*:?\s*\(?)?(1|2|tie)")
_WRAPPING = " \t\r\n*_`'\"“”().[]{}"
_MEANINGS: dict[str, Preference] = {"1": "first", "2": "second", "tie": "tie"}


def preference(text: str) -> Preference | None:
    """Which answer the judge prefers; None where it did not say just that.

    Taken are 1, 2 and TIE, in any case, alone or after `answer`, `reply`, `response` or `output`, with quotes,
    brackets, emphasis and a full stop around it; and before it a thought between `<think>` and `</think>`.
    """
    bare = _THOUGHTS.sub("", text).strip(_WRAPPING).casefold()
    found = _ANSWER.fullmatch(bare)
    return _MEANINGS[found[1]] if found else None
