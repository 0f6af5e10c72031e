"""A mean of a few repetitions, and how far it can be trusted."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CONFIDENCE", "Estimate"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean and spread of repeated measurements.

    Attributes:
        mean: their mean, in the unit of what was measured.
        sd: sample standard deviation in the same unit; None for a single measurement.
        n: how many there are.
    """

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Estimate | None:
        """Of those that are known; None where none is."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        return cls(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None, len(known))

    @property
    def half_width(self) -> float | None:
        """Half the width of the 95 % confidence interval of the mean; None for a single measurement.

        t(0.975, n - 1) * sd / sqrt(n), by Student's t, as the spread is itself estimated from few repetitions
        (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2).
        """
        if self.sd is None:
            return None
        if self.sd == 0:
            return 0.0
        from scipy.special import stdtrit  # takes a while to load, and only those who read a profile need it

        quantile = float(stdtrit(self.n - 1, (1 + CONFIDENCE) / 2))
        return quantile * self.sd / math.sqrt(self.n)

    @property
    def low(self) -> float | None:
        """Lower end of the interval; None for a single measurement."""
        half = self.half_width
        return None if half is None else self.mean - half

    @property
    def high(self) -> float | None:
        """Upper end of the interval; None for a single measurement."""
        half = self.half_width
        return None if half is None else self.mean + half
