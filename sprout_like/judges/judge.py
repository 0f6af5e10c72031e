"""What a judge is: from a prompt and two answers to a score for each, or to none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Case", "Cost", "Judge", "Ruling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One prompt with two answers; its texts are kept out of the repr.

    Attributes:
        messages: the conversation so far, as chat messages.
        answer: the directive's. full_answer: the one of `full` to the same prompt.
        reference: the right answer where the prompts have one; None where not.
    """

    messages: Sequence[Mapping[str, str]] = field(repr=False)
    answer: str = field(repr=False)
    full_answer: str = field(repr=False)
    reference: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What judging took.

    Attributes:
        energy_j: in J; None where unknown, as at somebody else's endpoint; 0 where no model ran.
        method: as in `sprout_like.record`; `none` where unknown, or where no model ran.
        duration_s: in s.
        tokens: read and generated, as far as they are told; None where not.
    """

    energy_j: float | None = None
    method: str = "none"
    duration_s: float = 0.0
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a judge said of a case.

    Attributes:
        score, full_score: of the directive's answer and of `full`'s, in [0, 1]; both None where the judge gave no
            usable answer, and the case is dropped from the count.
        reason: why it was dropped, without any text of the case; None where it was not.
        asked: how often the judge was asked, retries left out.
        first, second: how often it preferred the answer shown first, and second. Both are 0 where no order was shown.
        cost: of all of it, retries included.
    """

    score: float | None
    full_score: float | None
    reason: str | None = None
    asked: int = 1
    first: int = 0
    second: int = 0
    cost: Cost = Cost()


class Judge(Protocol):
    """Compares two answers. Stateless between cases."""

    @property
    def name(self) -> str:
        """What it is, without keys, such as `endpoint:gpt-4o-mini` or `numeric`; stored with every evaluation."""
        ...

    def rule(self, case: Case) -> Ruling:
        """Score both answers.

        Raises:
            JudgeError: it cannot judge at all (refused key, no such model): every further case would fail as well.
        """
        ...
