"""Forecast a series as a Gaussian process, and back-test that on the series itself in the same pass.

A Gaussian process gives the best linear forecast for a covariance, takes gaps as they come, and knows how unsure it is
(Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from grid.forecasting.hours import Floats

__all__ = ["Covariance", "Process", "Ticks"]

Ticks = npt.NDArray[np.int64]

_DAY_H, _WEEK_H = 24.0, 168.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Covariance of two moments, by the time between them: two shares that fade, and a day's and a week's shape.

    Attributes:
        weather, weather_h: variance and length of what stays for days, as wind does.
        swing, swing_h: of what is smooth within the day.
        daily, daily_sharpness, daily_h: of the day's shape, and how long it keeps.
        weekly, weekly_sharpness, weekly_h: of the week's.
        noise: variance of each figure around all that.
    """

    weather: float
    weather_h: float
    swing: float = 0.4
    swing_h: float = 10.0
    daily: float = 0.6
    daily_sharpness: float = 0.5
    daily_h: float = 2000.0
    weekly: float = 0.05
    weekly_sharpness: float = 1.5
    weekly_h: float = 500.0
    noise: float = 1e-4

    def __call__(self, lag_h: Floats) -> Floats:
        """The covariance, without the noise."""
        swing = np.sqrt(3) * lag_h / self.swing_h
        day = 2 * np.sin(np.pi * lag_h / _DAY_H) ** 2 / self.daily_sharpness**2
        week = 2 * np.sin(np.pi * lag_h / _WEEK_H) ** 2 / self.weekly_sharpness**2
        total: Floats = (
            self.weather * np.exp(-lag_h / self.weather_h)
            + self.swing * (1 + swing) * np.exp(-swing)
            + self.daily * np.exp(-day - lag_h / self.daily_h)
            + self.weekly * np.exp(-day - week - lag_h / self.weekly_h)
        )
        return total


@dataclass(frozen=True, slots=True)
class Process:
    """The process, given what is known of it. Times are whole ticks, so that each lag's covariance is computed once."""

    _ticks: Ticks
    _values: Floats
    _table: Floats
    _noise: float
    _factor: Floats
    _innovations: Floats

    @classmethod
    def given(
        cls,
        covariance: Covariance,
        ticks: Ticks,
        values: Floats,
        noise: Floats,
        *,
        tick_h: float,
        until: int,
    ) -> Process:
        """Condition it.

        Args:
            covariance: of the process.
            ticks: when each known figure was, ascending.
            values: the figures, about 0 and of spread 1.
            noise: variance of each figure, beyond the covariance's own noise.
            tick_h: length of a tick in h.
            until: the last tick that will be asked for.
        """
        table = covariance(tick_h * np.arange(until - ticks[0] + 1))
        factor = _factor(covariance, ticks.tobytes(), noise.tobytes(), tick_h)
        innovations = solve_triangular(factor, values, lower=True, check_finite=False)
        return cls(ticks, values, table, covariance.noise, factor, innovations)

    def at(self, ticks: Ticks) -> tuple[Floats, Floats]:
        """Mean and standard deviation at later ticks."""
        across = self._table[ticks[None, :] - self._ticks[:, None]]
        weights = solve_triangular(self._factor, across, lower=True, overwrite_b=True, check_finite=False)
        variance = self._table[0] + self._noise - np.einsum("ij,ij->j", weights, weights)
        return weights.T @ self._innovations, np.sqrt(np.maximum(variance, self._noise))

    def past(self, leads: Sequence[int], first: int) -> list[tuple[Floats, Floats]]:
        """What forecasts from every earlier figure would have missed by, and the deviations that they claimed.

        A figure is the sum of all innovations up to it, each weighted by its row of the factor. What a forecast misses
        is the part of that sum after its origin, so a back-test from all origins needs no further fit.

        Args:
            leads: how many known figures ahead; the answer has one pair for each.
            first: how many figures lie before the first origin.
        """
        row = np.arange(first, len(self._values))[:, None]
        column = np.maximum(row - np.arange(max(leads)), 0)
        band = self._factor[row, column]
        missed = np.cumsum(band * self._innovations[column], axis=1)
        claimed = np.sqrt(np.cumsum(band * band, axis=1))
        return [(missed[lead:, lead - 1], claimed[lead:, lead - 1]) for lead in leads]


@lru_cache(maxsize=3)
def _factor(covariance: Covariance, ticks: bytes, noise: bytes, tick_h: float) -> Floats:
    """Cholesky's factor of the covariance of what is known: for a history without gaps the same, hour after hour."""
    known = np.frombuffer(ticks, dtype=np.int64)
    lags = np.abs(known[:, None] - known[None, :])
    matrix = covariance(tick_h * np.arange(lags[0, -1] + 1))[lags]
    matrix.flat[:: len(known) + 1] += covariance.noise + np.frombuffer(noise)
    factor: Floats = cholesky(matrix.T, lower=True, overwrite_a=True, check_finite=False)
    factor.flags.writeable = False
    return factor
