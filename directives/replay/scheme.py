"""What a scheme is: it serves the requests of a replay and learns from what it is told, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from directives.replay.data import Floats, Indices
from directives.replay.traffic import Served

__all__ = ["Judged", "Scheme"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One evaluation.

    Attributes:
        hour: in which it was made.
        prompts: prompts looked at. fresh: those among them that had not been generated and judged before.
        energy_j, time_s: of generating the fresh ones' answers with every directive, in J and s.
    """

    hour: int
    prompts: int
    fresh: int
    energy_j: float
    time_s: float


class Scheme(Protocol):
    """Serves requests hour by hour. What it is not given at construction or through these methods it cannot know."""

    @property
    def strata(self) -> Indices:
        """For each prompt of the traffic half the group within which it does not tell prompts apart."""
        ...

    @property
    def evaluations(self) -> Sequence[Judged]:
        """What it has judged so far."""
        ...

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:
        """An hour begins."""
        ...

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:
        """Indices of the directives of some requests, given one draw in [0, 1) each."""
        ...

    def observe(self, served: Served) -> None:
        """What serving them took."""
        ...
