"""The requests of one stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from directives.replay.data import Floats, Indices, Prompts

__all__ = ["Served", "draw", "log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the log says of some requests.

    Attributes:
        prompt: row of each request's prompt in the traffic half; a scheme may only use what it is told of the prompt.
        directive: index of the directive it was served with.
        energy_j, time_s: what that took, in J and s.
    """

    prompt: Indices
    directive: Indices
    energy_j: Floats
    time_s: Floats


def draw(rows_by_task: Sequence[Indices], mix: Floats, n: int, rng: np.random.Generator) -> Indices:
    """Rows of `n` prompts: the task by the mix, then any of its prompts, over and over."""
    counts = rng.multinomial(n, mix)
    picked = [rng.choice(rows, size) for rows, size in zip(rows_by_task, counts, strict=True) if size]
    return rng.permutation(np.concatenate(picked))


def log(prompts: Prompts, prompt: Indices, directive: Indices) -> Served:
    """The log of requests that were served as told."""
    return Served(
        prompt=prompt,
        directive=directive,
        energy_j=prompts.energy_j[prompt, directive],
        time_s=prompts.time_s[prompt, directive],
    )
