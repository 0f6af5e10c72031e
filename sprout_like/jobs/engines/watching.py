"""What runs inside `generate` for each row of a batch: its own limit, its own processors, and the time of each step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["RowProcessors", "RowWatch", "Seat"]


@dataclass(slots=True, kw_only=True)
class Seat:
    """A row while it runs.

    Attributes:
        padding: columns before its prompt.
        limit_tokens: on new tokens, those of earlier runs not counted.
        processors, criteria: its own; each is shown the row alone, without padding.
        new_tokens: how many it has in this run; None while it goes on.
    """

    padding: int
    limit_tokens: int
    processors: Sequence[Callable[[Any, Any], Any]] = ()
    criteria: Sequence[Callable[..., Any]] = ()
    new_tokens: int | None = None


class RowProcessors:
    """A logits processor that lets every row have those of its own, which count by the width they are shown."""

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._seats = [(row, seat) for row, seat in enumerate(seats) if seat.processors]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Shape of `input_ids`: (rows, length so far); of `scores`: (rows, vocabulary). Returns new scores."""
        changed = scores
        for row, seat in self._seats:
            if seat.new_tokens is not None:
                continue
            ids, before = input_ids[row : row + 1, seat.padding :], scores[row : row + 1]
            after = before
            for process in seat.processors:
                after = process(ids, after)
            if after is not before:
                changed = changed.clone() if changed is scores else changed
                changed[row : row + 1] = after
        return changed


class RowWatch:
    """A stopping criterion that ends each row where it must end, and all of them where few are left to go on.

    Args:
        seats: the rows.
        width: columns of the prompts. end_ids: the end tokens.
        least_going: with fewer rows than this going on, the run ends, for these to be run without the others.
        monotonic_s: clock of the steps.
    """

    def __init__(
        self,
        seats: Sequence[Seat],
        *,
        width: int,
        end_ids: Collection[int],
        least_going: int,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._seats = seats
        self._width = width
        self._end_ids = end_ids
        self._least_going = least_going
        self._monotonic_s = monotonic_s
        self.steps_at_s: list[float] = []

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Shape of `input_ids`: (rows, length so far). Returns which rows are to end, as booleans of shape (rows,)."""
        new_tokens = input_ids.shape[1] - self._width
        last = input_ids[:, -1].tolist()  # waits for the device, so that the clock tells when the step was done
        self.steps_at_s.append(self._monotonic_s())
        for row, seat in enumerate(self._seats):
            if seat.new_tokens is None:
                # All criteria are asked, as one may follow the row's tokens.
                alone = input_ids[row : row + 1, seat.padding :]
                ended = [bool(criterion(alone, scores)) for criterion in seat.criteria]
                if last[row] in self._end_ids or new_tokens >= seat.limit_tokens or any(ended):
                    seat.new_tokens = new_tokens
        going = sum(seat.new_tokens is None for seat in self._seats)
        if going < self._least_going:
            return torch.ones(len(self._seats), dtype=torch.bool, device=input_ids.device)
        done = [seat.new_tokens is not None for seat in self._seats]
        return torch.tensor(done, device=input_ids.device)
