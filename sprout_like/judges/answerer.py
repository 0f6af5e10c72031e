"""What a model that judges needs to do: answer one question, or say why it did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sprout_like.judges.judge import Cost

__all__ = ["Answerer", "Reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one question.

    Attributes:
        text: the model's words, perhaps none; None where it could not be asked, and asking again would not help.
        reason: why it could not, without any text of the question; None where it could.
        cost: what it took.
    """

    text: str | None = field(repr=False)
    reason: str | None = None
    cost: Cost = field(default_factory=Cost)


class Answerer(Protocol):
    """A model that answers, wherever it runs."""

    @property
    def name(self) -> str:
        """What it is, without keys, such as `endpoint:gpt-4o-mini`."""
        ...

    def answer(self, messages: Sequence[Mapping[str, str]]) -> Reply:
        """Answer chat messages, as far as it can the same way every time.

        Raises:
            JudgeError: it cannot answer at all: every further question would fail as well.
        """
        ...
