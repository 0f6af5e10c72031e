"""From g/kWh to figures about 0 of spread 1, and back: logarithmic, and per hour of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grid.forecasting.hours import Floats

__all__ = ["OFFSET", "Scale"]

_DAY_H = 24

# Share of the mean that is added before the logarithm, so that 0 g/kWh has one. It lies where the error does not
# depend on it: 0.5 % and 5 % do as well, and a small one keeps apart what is near 0.
OFFSET = 0.01

# The spread of an hour of the day counts like this many days of the spread of all hours.
_PRIOR_DAYS = 3.0

# Of a logarithm: figures that differ by less than a millionth are the same figure.
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Scale:
    """A zone's own scale, taken from its history.

    Solar zones vary by noon and not by night, so each hour of the day has a spread of its own; hours are counted from
    the history's end, and the day may begin anywhere.

    Attributes:
        offset_g_per_kwh: what is added before the logarithm.
        centre: median of the logarithms.
        spread: their standard deviation by hour of the day, where hour 0 is the first after the history's end.
    """

    offset_g_per_kwh: float
    centre: float
    spread: Floats

    @classmethod
    def of(cls, hour: Floats, g_per_kwh: Floats) -> Scale:
        """The scale of figures that are not all 0; `hour` in h after the history's end."""
        offset = OFFSET * float(g_per_kwh.mean())
        logs = np.log(g_per_kwh + offset)
        of_day = _hour_of_day(hour)
        count = np.bincount(of_day, minlength=_DAY_H)
        mean = np.bincount(of_day, logs, _DAY_H) / np.maximum(count, 1)
        squares = np.bincount(of_day, (logs - mean[of_day]) ** 2, _DAY_H)
        overall = float(squares.sum()) / len(logs)
        # The neighbouring hours count by half: the day does not change at full hours.
        near_squares, near_count = (2 * x + np.roll(x, 1) + np.roll(x, -1) for x in (squares, count))
        shape = (near_squares + 4 * _PRIOR_DAYS * overall) / (near_count + 4 * _PRIOR_DAYS)
        relative = np.sqrt(shape / shape.mean()) if overall > 0 else np.ones(_DAY_H)
        return cls(offset, float(np.median(logs)), max(float(logs.std()), _LEAST_SPREAD) * relative)

    def at(self, hour: Floats) -> Floats:
        """The spread at a time."""
        return self.spread[_hour_of_day(hour)]

    def into(self, hour: Floats, g_per_kwh: Floats) -> Floats:
        """The figures on this scale."""
        logs: Floats = np.log(g_per_kwh + self.offset_g_per_kwh)
        return (logs - self.centre) / self.at(hour)

    def back(self, hour: Floats, values: Floats) -> Floats:
        """In g/kWh, 0 or more."""
        return np.maximum(np.exp(self.centre + self.at(hour) * values) - self.offset_g_per_kwh, 0.0)


def _hour_of_day(hour: Floats) -> npt.NDArray[np.int64]:
    return np.floor(hour).astype(np.int64) % _DAY_H
