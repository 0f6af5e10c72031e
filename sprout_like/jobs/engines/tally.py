"""What a batch has come to so far: answers, and what is needed to share out its energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sprout_like.engines.counting import finish_reason
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.jobs.engines.asked import Asked
from sprout_like.jobs.engines.engine import Answered, Outcome
from sprout_like.jobs.engines.sharing import Pass, shares

__all__ = ["Tally", "answered"]


class Tally:
    """Takes answers by their place in the batch, and passes.

    Args:
        rows: prompts in the batch. began_s: when it began, on the engine's clock.
    """

    def __init__(self, rows: int, began_s: float) -> None:
        self.began_s = began_s
        self._answers: list[Answered] = [Answered(error="NotRun") for _ in range(rows)]
        self._residency_s = [0.0] * rows
        self._passes: list[Pass] = []

    def answer(self, place: int, answer: Answered, *, residency_s: float = 0.0) -> None:
        """Take an answer, or why there is none."""
        self._answers[place] = answer
        self._residency_s[place] += residency_s

    def ran(self, passes: Sequence[Pass], places: Sequence[int]) -> None:
        """Take passes whose rows are those of the batch at these places."""
        for one in passes:
            tokens: Mapping[int, float] = {places[row]: count for row, count in one.tokens.items()}
            self._passes.append(Pass(one.seconds, tokens))

    def outcome(self, ended_s: float) -> Outcome:
        """The batch, done; what time no pass took is shared by residency."""
        idle_s = ended_s - self.began_s - sum(one.seconds for one in self._passes)
        parts = shares(len(self._answers), self._passes, idle_s=idle_s, residency_s=self._residency_s)
        return Outcome(
            answers=tuple(replace(answer, share=part) for answer, part in zip(self._answers, parts, strict=True))
        )


def answered(
    runner: HuggingFaceEngine,
    row: Asked,
    tokens: Sequence[int],
    *,
    reason: str | None = None,
    batch_size: int = 1,
    first_token_s: float | None = None,
    engine_s: float | None = None,
) -> Answered:
    """The answer that these new tokens are; `reason` where the engine knows why they ended."""
    return Answered(
        text=runner.decode(row.plan, tokens),
        prompt_tokens=row.call.prompt_tokens,
        instruction_tokens=row.plan.instruction_tokens,
        new_tokens=len(tokens),
        finish_reason=reason or finish_reason([tokens], row.end_ids, row.limit_tokens, row.plan.ender),
        limit_tokens=row.limit_tokens,
        batch_size=batch_size,
        first_token_s=first_token_s,
        engine_s=engine_s,
    )
