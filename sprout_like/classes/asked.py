"""What a conversation asks, as far as a classifier looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from directives.classes import glimpse

__all__ = ["asked"]

_MOST_PARTS: Final = 8


def asked(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """The text of the last user message, cut to what is looked at; None where there is none.

    Of a message in parts it is those parts that are text, the first few.
    """
    content = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), None)
    if content is None:
        return None
    if isinstance(content, str):
        return glimpse(content)
    texts = (part["text"] for part in content if isinstance(part.get("text"), str))
    return glimpse(" ".join(map(glimpse, islice(texts, _MOST_PARTS)))) or None
