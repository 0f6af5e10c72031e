"""Forecast an hour by the same hour of earlier days or weeks: simple, and what a process has to beat."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grid.forecasting.hours import Floats

__all__ = ["SameHours", "by_hour"]

_DAY_H = 24

Hours = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SameHours:
    """Median of the newest known figures of an hour, a whole number of periods before it.

    Attributes:
        period_h: a day or a week.
        count: of how many periods.
    """

    period_h: int
    count: int

    def at(self, figures: Floats, hours: Hours, lead_h: Hours | int) -> Floats:
        """The forecast for hours, made `lead_h` before each; 0, the middle of the scale, before the first figure.

        Args:
            figures: one for each hour from the first on.
            hours: index of each hour wanted, past the end for one that lies ahead.
            lead_h: how many hours before, at least 1.
        """
        nearest = -(-lead_h // self.period_h)
        back = np.stack([hours - self.period_h * (nearest + n) for n in range(self.count)])
        # Before the first figure the newer ones count again. A median, so that one outage does not come back.
        for newer, older in itertools.pairwise(back):
            np.copyto(older, newer, where=older < 0)
        return np.where(back[0] < 0, 0.0, np.median(figures[np.maximum(back, 0)], axis=0))


def by_hour(hours: Hours, values: Floats) -> Floats:
    """One figure for each hour from 0 on; a gap is filled by the same hour of the day before, or 0."""
    days = int(hours[-1]) // _DAY_H + 1
    figures = np.full((days, _DAY_H), np.nan)
    figures.flat[hours] = values
    figures[0] = np.nan_to_num(figures[0])
    for day in range(1, days):
        np.copyto(figures[day], figures[day - 1], where=np.isnan(figures[day]))
    return figures.ravel()[: hours[-1] + 1]
