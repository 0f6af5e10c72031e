"""Intensities of the grid in the last weeks: what a tuned policy was solved for, and what was seen since."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Final

__all__ = ["QUANTILES", "SAMPLE_EVERY_S", "Intensities", "distance", "quantiles"]

QUANTILES: Final = 96
"""Past intensities that stand for all: enough for any few levels."""

SAMPLE_EVERY_S: Final = 1800.0
"""Time between samples, in s: the shortest period for which grids publish averages that cover a country."""

_DAY: Final = 48
_KEPT: Final = 28 * _DAY


class Intensities:
    """One for each half hour of the last four weeks, as far as they were seen.

    They are taken by the clock, as some sources tell a new intensity every few seconds and others one a day.
    """

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_KEPT)
        self._next_s: float | None = None

    def add(self, g_per_kwh: float | None, now_s: float) -> None:
        """The one now; None where unknown. It is kept where half an hour has passed since the last that was."""
        if g_per_kwh is not None and (self._next_s is None or now_s >= self._next_s):
            self._seen.append(g_per_kwh)
            self._next_s = now_s + SAMPLE_EVERY_S

    def forget(self) -> None:
        """Forget what a stored policy was solved for too."""
        self._seen.clear()

    def past(self, stored: tuple[float, ...] = (), stored_s: float | None = None) -> tuple[float, ...]:
        """Intensities that each stand for as much time: those seen, and for what is left of four weeks the stored ones.

        Less than a day shows nothing of what is low or high, so that alone it is told as its mean: a plan then has one
        level, and keeps `mean_floor` at any time.

        Args:
            stored: those that a policy was solved for, each standing for as much time as the others.
            stored_s: the span from which they are; None for at least four weeks.
        """
        if not self._seen:
            return stored
        if not stored:
            if len(self._seen) < _DAY:
                return (fmean(self._seen),)
            return quantiles(((value, 1.0) for value in self._seen), min(QUANTILES, len(self._seen)))
        left = _KEPT - len(self._seen)
        each = (left if stored_s is None else min(left, stored_s / SAMPLE_EVERY_S)) / len(stored)
        weighted = [*((value, each) for value in stored), *((value, 1.0) for value in self._seen)]
        return quantiles(weighted, min(QUANTILES, len(weighted)))


def quantiles(weighted: Iterable[tuple[float, float]], count: int) -> tuple[float, ...]:
    """So many values, rising, that each stand for as much weight.

    Args:
        weighted: values and their weights.
        count: how many.
    """
    known = sorted(weighted)
    total = sum(weight for _, weight in known)
    found: list[float] = []
    passed = 0.0
    for value, weight in known:
        passed += weight
        while len(found) < count and (len(found) + 0.5) * total / count <= passed:
            found.append(value)
    return tuple(found)


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """How far apart two sets of intensities are, in g/kWh: the first Wasserstein distance, from their quantiles."""
    pairs = zip(*(quantiles(((value, 1.0) for value in of), QUANTILES) for of in (one, other)), strict=True)
    return fmean(abs(a - b) for a, b in pairs)
