"""Judging in both orders, so that a liking for one place cancels out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sprout_like.judges.answerer import Answerer
from sprout_like.judges.judge import Case, Cost, Ruling
from sprout_like.judges.reading import Preference, preference
from sprout_like.judges.wording import question
from sprout_like.meters.meter import METHODS

__all__ = ["ASKED_AGAIN", "ModelJudge", "total"]

ASKED_AGAIN: Final = 2
"""How often a question is asked again that got no usable answer."""

_STRENGTHS: tuple[str, ...] = METHODS
_WON: dict[Preference, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}


class ModelJudge:
    """A model that is shown both answers in both orders.

    The score is the mean of the two orders: 1 for a win, 1/2 for a tie, 0 for a loss. A judge that always prefers the
    same place thus finds every pair a tie. Preferences for places are counted, so that the bias can be told: SPROUT's
    judge, which saw each set of three once, chose the first in 49 % and the last in 19 % of the cases.

    Args:
        model: who is asked.
    """

    def __init__(self, model: Answerer) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    def rule(self, case: Case) -> Ruling:
        """Ask for both orders; the same answer twice is a tie without asking.

        Raises:
            JudgeError: the model cannot answer at all.
        """
        if case.answer.strip() == case.full_answer.strip():
            return Ruling(score=0.5, full_score=0.5, asked=0, cost=Cost(energy_j=0.0, tokens=0))
        costs: list[Cost] = []
        found: list[Preference] = []
        for answers in ((case.answer, case.full_answer), (case.full_answer, case.answer)):
            prefers, reason = self._preference(case, answers, costs)
            if prefers is None:
                return Ruling(score=None, full_score=None, reason=reason, asked=len(found) + 1, cost=total(costs))
            found.append(prefers)
        score = (_WON[found[0]] + 1 - _WON[found[1]]) / 2
        return Ruling(
            score=score,
            full_score=1 - score,
            asked=len(found),
            first=found.count("first"),
            second=found.count("second"),
            cost=total(costs),
        )

    def _preference(
        self, case: Case, answers: tuple[str, str], costs: list[Cost]
    ) -> tuple[Preference | None, str | None]:
        for times in range(1 + ASKED_AGAIN):
            reply = self._model.answer(question(case.messages, *answers, again=times > 0))
            costs.append(reply.cost)
            if reply.text is None:
                return None, reply.reason
            if (prefers := preference(reply.text)) is not None:
                return prefers, None
        return None, f"{self.name}: its answer was none of 1, 2 and TIE, {1 + ASKED_AGAIN} times"


def total(costs: Sequence[Cost]) -> Cost:
    """The sum. Energy that is unknown in part is unknown; of the tokens those that were told are added up."""
    joules = [cost.energy_j for cost in costs if cost.energy_j is not None]
    tokens = [cost.tokens for cost in costs if cost.tokens is not None]
    known = len(joules) == len(costs)
    return Cost(
        energy_j=math.fsum(joules) if known else None,
        method=max((cost.method for cost in costs), key=_STRENGTHS.index, default="none") if known else "none",
        duration_s=math.fsum(cost.duration_s for cost in costs),
        tokens=sum(tokens) if tokens else None,
    )
