"""What `generate` does to the scores of a row, done row by row to the rows of a batch that differ in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from transformers import LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)

__all__ = ["RULES", "Draw", "Rules", "rules_by_row"]

RULES = "rules"
"""The argument of `ContinuousBatchingManager.add_request` that carries a row's `Rules`."""


class Processor(Protocol):
    """What transformers calls a logits processor: it is shown one row here."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Shapes: (1, length so far) and (1, vocabulary); returns new scores."""
        ...


class Draw:
    """Leaves one token, drawn by its probability: the batch takes the best of what it is given."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002 - the form of a logits processor
        """New scores: 0 for the token drawn, -inf for all others."""
        drawn = torch.multinomial(torch.softmax(scores, dim=-1), num_samples=1)
        return torch.full_like(scores, float("-inf")).scatter(-1, drawn, 0.0)


@dataclass(frozen=True, slots=True)
class Rules:
    """The logits processors of one row, in order.

    Attributes:
        processors: applied one after the other.
        padding: columns that `generate` has before the row's prompt, in its call's batch; processors may count columns.
        pad_id: what stands in them.
    """

    processors: tuple[Processor, ...]
    padding: int = 0
    pad_id: int = 0

    def __deepcopy__(self, memo: Any) -> Rules:
        """Itself: a request that is put back for want of memory is copied, and tables of the vocabulary with it."""
        return self

    def __call__(self, tokens: Sequence[int], scores: torch.Tensor) -> torch.Tensor:
        """New scores of a row, shape (1, vocabulary), whose prompt and answer so far are these tokens."""
        ids = torch.tensor([[self.pad_id] * self.padding + list(tokens)], device=scores.device)
        for processor in self.processors:
            scores = processor(ids, scores)
        return scores


class _ByRow(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]
    """Applies each row's own rules. Its figures stay on the host, so steps are neither captured nor overlapped.

    Args:
        fail: told the name of a row whose rules failed, and how.
    """

    supported_kwargs: ClassVar = {RULES: Rules}
    ignored_kwargs: ClassVar = ()

    def __init__(self, fail: Callable[[str, Exception], None]) -> None:
        self._fail = fail
        self._states: list[Any] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        self._states = [request.state for request in requests_with_new_token]
        return torch.zeros(len(self._states), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - its form
        for row, state in enumerate(self._states):
            rules = state.logit_processor_kwargs.get(RULES)
            if rules is None:
                continue
            try:
                scores[row] = rules(state.initial_tokens + state.generated_tokens, scores[row : row + 1])[0]
            except Exception as exc:  # noqa: BLE001 - it is raised in the thread that waits for the row, and there alone
                self._fail(state.request_id, exc)
        return scores


def rules_by_row(fail: Callable[[str, Exception], None]) -> ContinuousBatchingLogitsProcessorList:
    """What a manager is given in the place of the processors that would be the same for all its requests.

    Args:
        fail: told the name of a row whose rules failed, and how; the others go on.
    """
    processors = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([_ByRow(fail)]))
    processors.tensors_required = 1  # counted by the list only for those that it makes itself
    return processors
