"""A few levels of grid intensity, from the intensities of the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from directives.solving.tree import Floats

__all__ = ["Levels"]

MOST = 4
"""More levels than these save next to nothing more and cost the program as many times the variables."""

LEAST_EACH = 6
"""Past intensities per level: of hourly ones, a day makes all levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """From the lowest intensity to the highest.

    Attributes:
        edges_g_per_kwh: where the next level begins; one fewer than there are levels.
        mean_g_per_kwh: mean intensity per level; None where no intensity is known.
        share: share of the past in each level; sums to 1.
    """

    edges_g_per_kwh: tuple[float, ...]
    mean_g_per_kwh: Floats | None
    share: Floats

    @classmethod
    def of(cls, past_g_per_kwh: tuple[float, ...], now_g_per_kwh: float | None) -> Levels:
        """Quantile groups of the past, equal intensities in one group; without a past, one level at what it is now."""
        if not past_g_per_kwh:
            mean = None if now_g_per_kwh is None else np.array([now_g_per_kwh])
            return cls(edges_g_per_kwh=(), mean_g_per_kwh=mean, share=np.ones(1))
        past = np.sort(np.array(past_g_per_kwh, dtype=float))
        wanted = max(1, min(MOST, len(past) // LEAST_EACH))
        cuts = [len(past) * i // wanted for i in range(1, wanted)]
        edges = np.unique([(past[cut - 1] + past[cut]) / 2 for cut in cuts if past[cut - 1] < past[cut]])
        group = np.searchsorted(edges, past, side="right")
        sizes = np.bincount(group, minlength=len(edges) + 1)
        return cls(
            edges_g_per_kwh=tuple(float(edge) for edge in edges),
            mean_g_per_kwh=np.bincount(group, weights=past) / sizes,
            share=sizes / len(past),
        )
