"""Ends the rows of a generation that loop: whose end is one passage over and over."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil
from typing import Any

import torch

from directives import Repetition

__all__ = ["LoopCriterion", "Loops"]


class Loops:
    """Tells token by token whether the end of one row is a loop.

    A loop is a passage of p ≤ `longest` tokens that comes r times in a row, r ≥ `times` and r·p ≥ `least`. For every p
    it is counted how many tokens on end equal the one p before them, so a token costs `longest` comparisons, however
    long the row.

    Args:
        repetition: what counts as a loop.
    """

    def __init__(self, repetition: Repetition) -> None:
        passages = range(1, repetition.longest + 1)
        self._needed = [p * (max(repetition.times, ceil(repetition.least / p)) - 1) for p in passages]
        self._equal = [0] * repetition.longest
        self._recent: list[int | None] = [None] * repetition.longest  # newest first

    def add(self, token: int) -> bool:
        """Take the row's next token; whether the row ends in a loop with it."""
        self._equal = [n + 1 if past == token else 0 for n, past in zip(self._equal, self._recent, strict=True)]
        self._recent.insert(0, token)
        self._recent.pop()
        return any(n >= needed for n, needed in zip(self._equal, self._needed, strict=True))


class LoopCriterion:
    """A stopping criterion that ends looping rows and names them; made for one run, as it follows its tokens.

    Rows that have ended otherwise are padded by `generate`: none is watched beyond its first end token or padding.

    Args:
        repetition: what counts as a loop.
        prompt_length: width of the prompt, which may repeat itself as it likes.
        least_tokens: the caller's minimum of new tokens per row.
        end_ids: the end tokens and the padding.
    """

    reason = "repetition"

    def __init__(
        self, repetition: Repetition, *, prompt_length: int, least_tokens: int, end_ids: Collection[int]
    ) -> None:
        self._repetition = repetition
        self._seen = prompt_length
        self._least_length = prompt_length + least_tokens
        self._end_ids = end_ids
        self._watched: dict[int, Loops] | None = None
        self.rows: set[int] = set()

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - as `generate` calls it
        """Shape of `input_ids`: (rows, length so far). Returns which rows are to end, as booleans of shape (rows,)."""
        if self._watched is None:
            self._watched = {row: Loops(self._repetition) for row in range(input_ids.shape[0])}
        new = input_ids[:, self._seen :].tolist()
        self._seen = input_ids.shape[1]
        for row, loops in list(self._watched.items()):
            if self._over(row, loops, new[row]):
                del self._watched[row]
        return torch.tensor([row in self.rows for row in range(input_ids.shape[0])], device=input_ids.device)

    def _over(self, row: int, loops: Loops, tokens: list[int]) -> bool:
        looped = False
        for token in tokens:
            if token in self._end_ids:
                return True
            looped = loops.add(token)
        if looped and self._seen >= self._least_length:
            self.rows.add(row)
        return row in self.rows
