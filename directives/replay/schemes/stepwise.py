"""Schemes without learning: the same shares for every request, known from the intensity alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from directives.plan import Shares
from directives.replay.data import Floats, Indices
from directives.replay.scheme import Judged
from directives.replay.traffic import Served

__all__ = ["Blind", "pick"]


def pick(shares: Floats, uniform: Floats) -> Indices:
    """Directives drawn by shares, one row of them per request or one for all."""
    edges = np.cumsum(shares, axis=-1)[..., :-1]
    return np.asarray((uniform[:, None] >= edges).sum(axis=1), dtype=np.int64)


class Blind:
    """Every request of an hour gets the same shares, a function of the intensity."""

    def __init__(self, prompts: int, directives: Sequence[str], shares: Callable[[float], Shares]) -> None:
        self.strata: Indices = np.zeros(prompts, dtype=np.int64)
        self.evaluations: Sequence[Judged] = ()
        self._directives = directives
        self._shares_at = shares
        self._shares = np.zeros(len(directives))

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:  # noqa: ARG002
        """Take the shares of this intensity."""
        shares = self._shares_at(intensity_g_per_kwh)
        self._shares = np.array([shares.get(name, 0.0) for name in self._directives])

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:  # noqa: ARG002
        """Draw by the shares."""
        return pick(self._shares, uniform)

    def observe(self, served: Served) -> None:
        """Nothing is learned."""
