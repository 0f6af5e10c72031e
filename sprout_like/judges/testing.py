"""Fakes for tests, ours and yours: a judge that says what it is told to, and an endpoint on a loopback port."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from grid.testing.loopback import Answer, Asked, Loopback
from sprout_like.judges.judge import Case, Ruling

__all__ = ["ChatLoopback", "ScriptedJudge", "completion", "shown"]

Opinion = Callable[[str, str], str]
"""From the first and the second answer to what a model that judges would say."""


class ScriptedJudge:
    """Rules by a function, or raises.

    Args:
        rule: from a case to the two scores, or None for a case that is to be dropped.
        error: raised instead, from the case on that `after` gives.
        after: cases ruled before the error.

    Attributes:
        cases: those it was given, in order.
    """

    name = "scripted"

    def __init__(
        self,
        rule: Callable[[Case], tuple[float, float] | None] = lambda _case: (0.5, 0.5),
        *,
        error: Exception | None = None,
        after: int = 0,
    ) -> None:
        self._rule = rule
        self._error = error
        self._after = after
        self.cases: list[Case] = []

    def rule(self, case: Case) -> Ruling:
        """What the function says."""
        self.cases.append(case)
        if self._error is not None and len(self.cases) > self._after:
            raise self._error
        scores = self._rule(case)
        if scores is None:
            return Ruling(score=None, full_score=None, reason="scripted: dropped")
        return Ruling(score=scores[0], full_score=scores[1])


class ChatLoopback(Loopback):
    """An endpoint that speaks OpenAI's chat completions and judges by a function.

    Args:
        opinion: what it says of two answers.

    Attributes:
        posted: the body of each request, in order.
    """

    def __init__(self, opinion: Opinion = lambda _first, _second: "TIE") -> None:
        super().__init__()
        self._opinion = opinion
        self.posted: list[Any] = []

    @property
    def questions(self) -> Sequence[str]:
        """The texts of what it was asked, in order."""
        return [posted["messages"][-1]["content"] for posted in self.posted]

    def answer_to(self, asked: Asked) -> Answer:
        """What was set to be answered, else the opinion."""
        self.posted.append(json.loads(asked.body))
        return super().answer_to(asked)

    def truth(self, asked: Asked) -> Answer:  # noqa: ARG002 - it is read where all are
        """The opinion, as a completion."""
        return completion(self._opinion(*shown(self.questions[-1])))


def completion(content: Any, **message: Any) -> Answer:
    """A completion that holds `content`, and 100 tokens of usage."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 99, "completion_tokens": 1, "total_tokens": 100}
    return Answer(json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}))


def shown(question: str) -> tuple[str, str]:
    """The two answers that a question shows, the first one first."""
    texts = re.findall(r"^BEGIN (\w+) (?:first|second) reply\n(.*?)\nEND \1$", question, re.DOTALL | re.MULTILINE)
    return texts[0][1], texts[1][1]
