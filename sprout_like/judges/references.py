"""Judging by comparison of each answer alone with the right one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sprout_like.judges.judge import Case, Cost, Ruling
from sprout_like.judges.numbers import last_number
from sprout_like.judges.words import bare, plain, words

__all__ = ["ALTERNATIVES", "SCORERS", "ReferenceJudge", "contains", "exact", "numeric"]

ALTERNATIVES: Final = "||"
"""What stands between references of which any will do."""


def exact(answer: str, reference: str) -> bool:
    """Whether the answer is the reference but for case, punctuation, articles and spaces.

    The normalisation is SQuAD's (Rajpurkar et al. 2016), but for what tells numbers and names apart: see `bare`. Where
    it leaves nothing of one of the two, articles count, and where that leaves nothing either, punctuation.
    """
    return any(_same(answer, right) for right in _alternatives(reference))


def numeric(answer: str, reference: str) -> bool:
    """Whether the last numbers of the two agree; see `last_number`.

    Raises:
        ValueError: the reference holds no number.
    """
    said, wanted = last_number(answer), [last_number(right) for right in _alternatives(reference)]
    if None in wanted:
        raise ValueError("the reference holds no number")
    return said is not None and any(number is not None and number.agrees(said) for number in wanted)


def contains(answer: str, reference: str) -> bool:
    """Whether the reference's words stand in the answer in a row, as whole words and numbers, in any case."""
    said = words(answer)
    for right in _alternatives(reference):
        wanted = words(right)
        places = range(len(said) - len(wanted) + 1)
        if wanted and any(said[place : place + len(wanted)] == wanted for place in places):
            return True
    return False


SCORERS: Final[Mapping[str, Callable[[str, str], bool]]] = {"exact": exact, "numeric": numeric, "contains": contains}
"""The comparisons that come with this, by name."""


class ReferenceJudge:
    """Compares each answer with the case's reference: 1 where it agrees, 0 where not.

    A case without a usable reference is dropped.

    Args:
        name: one of `SCORERS`.
        monotonic_s: clock of durations, in s.
    """

    def __init__(self, name: str, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._agrees = SCORERS[name]
        self._monotonic_s = monotonic_s

    @property
    def name(self) -> str:
        """The comparison's."""
        return self._name

    def rule(self, case: Case) -> Ruling:
        """Compare both answers with the reference."""
        # No model runs: what two comparisons of strings take is below any meter's tick.
        if case.reference is None or not case.reference.strip():
            return _dropped(f"{self._name}: the prompt has no reference", Cost(energy_j=0.0))
        begun_s = self._monotonic_s()
        try:
            scores = [float(self._agrees(answer, case.reference)) for answer in (case.answer, case.full_answer)]
        except ValueError as exc:
            return _dropped(f"{self._name}: {exc}", Cost(energy_j=0.0))
        cost = Cost(energy_j=0.0, duration_s=self._monotonic_s() - begun_s)
        return Ruling(score=scores[0], full_score=scores[1], cost=cost)


def _dropped(reason: str, cost: Cost) -> Ruling:
    return Ruling(score=None, full_score=None, reason=reason, cost=cost)


def _alternatives(reference: str) -> Iterable[str]:
    return (part.strip() for part in reference.split(ALTERNATIVES) if part.strip())


def _same(answer: str, right: str) -> bool:
    for simplified in (bare, plain, lambda text: text.casefold().strip()):
        one, other = simplified(answer), simplified(right)
        if one and other:
            return one == other
    return False
