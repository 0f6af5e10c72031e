"""What an answer cache is, and what it keeps of an answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

__all__ = ["AnswerStore", "KeptAnswer"]


class AnswerStore(Protocol):
    """Keeps answers under the digest of all that they depend on; bounded, thread-safe, and never raising.

    What it keeps is the answer's text as tokens. A key is a digest from which no prompt can be computed; but whoever
    has the model's weights can try prompts against it, and see whether one of them is the one that was asked.
    """

    def get(self, key: str) -> str | None:
        """The content kept under a key; None where there is none. From memory: this is on the request path."""
        ...

    def put(self, key: str, content: str) -> None:
        """Keep a content; the longest unused go where room is short."""
        ...

    def tick(self) -> None:
        """Called about once a second from the background: exchange with whom the store is shared."""
        ...

    def close(self) -> None:
        """Send what waits and release connections; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer without its prompt; its repr shows no token.

    Attributes:
        columns: per returned row the tokens behind the prompt, padding included.
        lengths: per row how many of them are the answer.
        finish_reason: as in `Generation`.
    """

    columns: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    finish_reason: str | None

    def __repr__(self) -> str:
        return f"KeptAnswer(rows={len(self.columns)}, tokens={sum(self.lengths)})"

    def to_json(self) -> str:
        """As an `AnswerStore` keeps it."""
        return json.dumps([self.columns, self.lengths, self.finish_reason], separators=(",", ":"))

    @classmethod
    def from_json(cls, content: str) -> KeptAnswer:
        """Back from `to_json`."""
        columns, lengths, finish_reason = json.loads(content)
        return cls(columns=tuple(map(tuple, columns)), lengths=tuple(lengths), finish_reason=finish_reason)
