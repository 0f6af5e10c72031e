"""Mean and spread of costs and scores, kept as sums."""

from __future__ import annotations

import math

import numpy as np

from directives.estimate import Estimate
from directives.evidence import Quality
from directives.replay.data import Floats, Indices

__all__ = ["Tally", "effective", "quality_of"]


class Tally:
    """Energy and time of answers, by bin and directive."""

    def __init__(self, bins: int, directives: int) -> None:
        self._shape = (bins, directives)
        self._sums = np.zeros((5, *self._shape))

    def add(
        self, bins: Indices, directives: Indices, energy_j: Floats, time_s: Floats, weight: Floats | float = 1.0
    ) -> None:
        """Count some answers: energy in J, time in s; weights count answers too."""
        keys = bins * self._shape[1] + directives
        ones = np.ones(len(keys))
        for total, figures in zip(self._sums, (ones, energy_j, energy_j**2, time_s, time_s**2), strict=True):
            total += np.bincount(keys, weight * figures, self._shape[0] * self._shape[1]).reshape(self._shape)

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self._sums[0].any()

    def forget(self) -> None:
        """Start again."""
        self._sums[:] = 0

    def of(self, at: int, directive: int) -> tuple[Estimate | None, Estimate | None]:
        """Energy in J and time in s; None where there was no answer."""
        n, energy, energy_squares, time, time_squares = (float(total) for total in self._sums[:, at, directive])
        if n == 0:
            return None, None
        return _estimate(n, energy, energy_squares), _estimate(n, time, time_squares)


def effective(weight: Floats) -> Floats:
    """Weights scaled to sum to the effective number of prompts, (Σ w)² / Σ w² (Kish 1965)."""
    total = weight.sum()
    return np.asarray(weight * (total / (weight**2).sum())) if total > 0 else weight


def quality_of(score: Floats, full: Floats, weight: Floats) -> Quality | None:
    """Of scores beside `full`'s to the same prompts, whose weights sum to how many they count for; None below one."""
    n = weight.sum()
    if n < 1:
        return None
    weight = weight / n
    mean, full_mean = (weight * score).sum(), (weight * full).sum()
    return Quality(
        n=int(n),
        mean=float(mean),
        full_mean=float(full_mean),
        variance=float((weight * (score - mean) ** 2).sum()),
        full_variance=float((weight * (full - full_mean) ** 2).sum()),
        covariance=float((weight * (score - mean) * (full - full_mean)).sum()),
    )


def _estimate(n: float, total: float, squares: float) -> Estimate:
    mean = total / n
    sd = math.sqrt(max(squares - n * mean * mean, 0.0) / (n - 1)) if n > 1 else None
    return Estimate(mean, sd, int(n))
