"""What each answer took of the energy of its batch: our own rule, by which the parts add up to the whole.

No engine tells the energy of one row of a batch, so it is shared out. Within one batch energy is taken to go with time.
The time of every forward pass is shared by the tokens that were computed in it: a pass over prompts by their lengths,
without what was found in a cache, and a step of decoding equally over the rows that were still being answered. What a
row computed as padding after its end is thus borne by those for which the batch went on. Time in which no pass ran
(rendering, copying, waiting) is shared by how long each answer was in the batch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import fsum
from typing import Final

__all__ = ["Pass", "Served", "continuous_passes", "parts_of_one", "shares", "static_passes"]

# Tokens of one pass are stamped one after the other, some 10 µs apart; no pass of a model takes less than this.
_ONE_PASS_S: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass.

    Attributes:
        seconds: how long it took. tokens: computed in it, by row; rows without any are left out.
    """

    seconds: float
    tokens: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """When one answer of a continuous batch was worked on, in s of one monotonic clock.

    Attributes:
        prompt_tokens: computed for it. start_s: when its first pass began. tokens_s: when each new token was there.
    """

    prompt_tokens: int
    start_s: float
    tokens_s: Sequence[float]


def static_passes(
    prompt_tokens: Sequence[int], new_tokens: Sequence[int], *, prefill_s: float, decode_s: Sequence[float]
) -> list[Pass]:
    """The passes of a batch whose rows begin together; each row is worked on until its last token.

    Args:
        prompt_tokens: computed for each row.
        new_tokens: of each row; its first one came with the prompt's pass.
        prefill_s: time of the pass over the prompts.
        decode_s: time of each step after it.
    """
    prompts = {row: float(tokens) for row, tokens in enumerate(prompt_tokens) if tokens}
    steps = [
        Pass(seconds, {row: 1.0 for row, tokens in enumerate(new_tokens) if tokens > step})
        for step, seconds in enumerate(decode_s, start=1)
    ]
    return [Pass(prefill_s, prompts), *steps]


def continuous_passes(served: Sequence[Served]) -> list[Pass]:
    """The passes of a batch whose rows come and go: one ends where rows got their tokens.

    A prompt that was computed in several passes is spread evenly in time over those before its first token. A row
    without any token counts nowhere: nothing tells when it was worked on.
    """
    came = _by_pass(served)
    if not came:
        return []
    bounds_s = [min(row.start_s for row in served if row.tokens_s), *(end_s for end_s, _ in came)]
    tokens: list[dict[int, float]] = [dict.fromkeys(rows, 1.0) for _, rows in came]
    firsts = {row: place for place, (_, rows) in reversed(list(enumerate(came))) for row in rows}
    for index, last in firsts.items():
        row = served[index]
        del tokens[last][index]  # its first token came with its prompt
        first = min(max(0, bisect_right(bounds_s, row.start_s) - 1), last)
        span_s = bounds_s[last + 1] - bounds_s[first]
        for place in range(first, last + 1):
            part = (bounds_s[place + 1] - bounds_s[place]) / span_s if span_s > 0 else float(place == last)
            tokens[place][index] = part * row.prompt_tokens
    return [
        Pass(end_s - start_s, counted) for (start_s, end_s), counted in zip(pairwise(bounds_s), tokens, strict=True)
    ]


def _by_pass(served: Sequence[Served]) -> list[tuple[float, list[int]]]:
    """When each pass ended, and which rows got a token from it: stamps close together are of one pass."""
    stamps = sorted((stamp_s, row) for row, one in enumerate(served) for stamp_s in one.tokens_s)
    passes: list[tuple[float, list[int]]] = []
    for stamp_s, row in stamps:
        if passes and stamp_s - passes[-1][0] < _ONE_PASS_S and row not in passes[-1][1]:
            passes[-1] = (stamp_s, [*passes[-1][1], row])
        else:
            passes.append((stamp_s, [row]))
    return passes


def shares(rows: int, passes: Sequence[Pass], *, idle_s: float = 0.0, residency_s: Sequence[float] = ()) -> list[float]:
    """The rows' shares of the energy of the whole; they sum to 1.

    Args:
        rows: how many there are.
        passes: all that ran for them; one in which nothing was computed counts as idle.
        idle_s: time in which no pass ran.
        residency_s: how long each row was in the batch; without any, idle time is shared equally.
    """
    taken_s: list[list[float]] = [[] for _ in range(rows)]
    idle_parts_s = [max(0.0, idle_s)]
    for one in passes:
        computed = fsum(one.tokens.values())
        if computed > 0:
            for row, tokens in one.tokens.items():
                taken_s[row].append(one.seconds * tokens / computed)
        else:
            idle_parts_s.append(one.seconds)
    resident = parts_of_one(residency_s or [1.0] * rows)
    idle_s = fsum(idle_parts_s)
    return parts_of_one([fsum(parts) + idle_s * part for parts, part in zip(taken_s, resident, strict=True)])


def parts_of_one(weights: Sequence[float]) -> list[float]:
    """The weights, none of them negative, as parts whose sum (`math.fsum`) is exactly 1; equal ones where all are 0."""
    if not weights:
        return []
    whole = fsum(weights)
    parts = [weight / whole for weight in weights] if whole > 0 else [1 / len(weights)] * len(weights)
    largest = max(range(len(parts)), key=parts.__getitem__)
    # What rounding left over goes where it is smallest in proportion.
    parts[largest] = fsum([1.0, *(-part for place, part in enumerate(parts) if place != largest)])
    return parts
