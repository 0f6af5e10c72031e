"""Batches of a model in this process through transformers' continuous batching."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.asked import Asked
from sprout_like.jobs.engines.padded import PaddedEngine
from sprout_like.jobs.engines.paging import is_pageable, run_paged
from sprout_like.jobs.engines.sharing import continuous_passes
from sprout_like.jobs.engines.tally import Tally, answered

__all__ = ["ContinuousEngine"]


class ContinuousEngine(PaddedEngine):
    """Rows come and go by themselves; those that need what the loop does not have run as a padded batch beside it.

    The loop knows per-row limits and the plain settings of sampling. It knows no processors of a row's own, so a
    budget with a soft ending, the end of a loop, a penalty and views of the model are for the padded batch. A
    beginning that several long prompts share is computed once there; the shares of energy do not know by whom.

    Args: as of `PaddedEngine`; the clock must be `time.perf_counter`, by which the loop stamps its tokens.
    """

    name = "continuous"

    def load(self) -> None:
        """Load the model, and try the loop on it.

        Raises:
            EngineUnavailable: it cannot be loaded, or is of a family that the loop does not run rightly.
        """
        if self._holder.runner is None:
            super().load()
            if not self._answers_alike(_page):
                self.unload()
                raise EngineUnavailable(
                    f"{self.model}: continuous batching does not answer as the model does alone. Use --engine padded"
                )

    def _company(self, row: Asked) -> object:
        return (super()._company(row), is_pageable(row))

    def _run_together(self, runner: HuggingFaceEngine, rows: Sequence[Asked], tally: Tally) -> None:
        if not is_pageable(rows[0]):
            super()._run_together(runner, rows, tally)
            return
        paged = run_paged(rows)
        passes = continuous_passes([served for _, served in paged])
        tally.ran(passes, [row.place for row in rows])
        for index, (row, (tokens, served)) in enumerate(zip(rows, paged, strict=True)):
            beside = [len(one.tokens) for one in passes if index in one.tokens]
            residency_s = served.tokens_s[-1] - served.start_s
            answer = answered(
                runner,
                row,
                tokens,
                batch_size=round(fmean(beside)) if beside else 1,
                first_token_s=served.tokens_s[0] - tally.began_s,
                engine_s=residency_s,
            )
            tally.answer(row.place, answer, residency_s=residency_s)


def _page(rows: Sequence[Asked]) -> list[list[int]]:
    return [tokens for tokens, _ in run_paged(rows)]
