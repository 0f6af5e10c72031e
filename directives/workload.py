"""Workload bins: what kind of request it is, coarse enough that a bin fills up and fine enough that its cost is one.

Lengths double and redouble in cost, so the buckets widen about fourfold each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from directives.policy import Observation

__all__ = ["BATCH_EDGES", "LIMIT_EDGES", "PROMPT_EDGES", "Bin", "bin_of"]

PROMPT_EDGES: Final = (128, 512, 2048, 8192)
"""Largest prompt of each bucket, in tokens per row; above the last is one more bucket."""

LIMIT_EDGES: Final = (32, 128, 512, 2048)
"""Largest limit on new tokens of each bucket, per row; above the last is one more bucket."""

BATCH_EDGES: Final = (1, 4, 16, 64)
"""Largest batch of each bucket, in rows; above the last is one more bucket."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Bin:
    """Requests that are alike enough to share one cell of a profile.

    Attributes:
        task: the caller's tag for the kind of work; empty where there is none.
        prompt_tokens: bucket of the prompt's length per row, such as `129-512`; empty where unknown, as for the others.
        limit_tokens: bucket of the limit on new tokens per row.
        batch_size: bucket of the number of rows.
    """

    task: str = ""
    prompt_tokens: str = ""
    limit_tokens: str = ""
    batch_size: str = ""

    def __str__(self) -> str:
        """For people: `question, prompt 1-128, limit 33-128, batch 1`."""
        return (
            f"{self.task or 'any task'}, prompt {self.prompt_tokens or '?'}, limit {self.limit_tokens or '?'}, "
            f"batch {self.batch_size or '?'}"
        )


def bin_of(observation: Observation) -> Bin:
    """The bin of one request.

    The prompt's length is taken per row, as that is what sets the cost of a row; of rows of unlike length, the mean.
    """
    rows = observation.batch_size
    prompt = observation.prompt_tokens
    per_row = -(-prompt // rows) if prompt is not None and rows else None
    return Bin(
        task=observation.task or "",
        prompt_tokens=_bucket(per_row, PROMPT_EDGES),
        limit_tokens=_bucket(observation.limit_tokens, LIMIT_EDGES),
        batch_size=_bucket(rows, BATCH_EDGES),
    )


def _bucket(value: int | None, edges: Sequence[int]) -> str:
    if value is None:
        return ""
    index = bisect_left(edges, value)
    low = 1 if index == 0 else edges[index - 1] + 1
    if index == len(edges):
        return f"{low}+"
    return str(low) if low == edges[index] else f"{low}-{edges[index]}"
