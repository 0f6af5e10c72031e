"""A series as sums from its beginning on, so that what a run emits is a difference of two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grid.intensity import Series

__all__ = ["Floats", "Timeline"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Intensity as a step function of time, in s since the series begins; gaps are steps of their own.

    Attributes:
        origin_utc: where time is 0.
        edges_s: the times at which a step begins, and the end of the last one.
        g_per_kwh: value of each step; 0 in a gap, which `unknown_s` tells apart.
        known: whether a step is a reading.
        sums: integral of the intensity from 0 to each edge, in s·g/kWh.
        unknown_s: time without a reading from 0 to each edge.
    """

    origin_utc: datetime
    edges_s: Floats
    g_per_kwh: Floats
    known: NDArray[np.bool_]
    sums: Floats
    unknown_s: Floats

    @classmethod
    def of(cls, series: Series) -> Timeline:
        """The timeline of a series that holds at least one reading."""
        origin = series[0].start_utc
        edges: list[float] = [0.0]
        values: list[float] = []
        known: list[bool] = []
        for reading in series:
            start, end = ((t - origin).total_seconds() for t in (reading.start_utc, reading.end_utc))
            if start > edges[-1]:
                edges.append(start)
                values.append(0.0)
                known.append(False)
            edges.append(end)
            values.append(reading.g_per_kwh)
            known.append(True)
        steps = np.diff(edges)
        return cls(
            origin_utc=origin,
            edges_s=np.array(edges),
            g_per_kwh=np.array(values),
            known=np.array(known),
            sums=np.concatenate(([0.0], np.cumsum(steps * values))),
            unknown_s=np.concatenate(([0.0], np.cumsum(np.where(known, 0.0, steps)))),
        )

    def integral(self, start_s: Any, end_s: Any) -> Any:
        """Integral of the intensity over [start_s, end_s), in s·g/kWh; a gap counts nothing."""
        return np.interp(end_s, self.edges_s, self.sums) - np.interp(start_s, self.edges_s, self.sums)

    def holds(self, start_s: Any, end_s: Any) -> Any:
        """Whether [start_s, end_s) lies within the series and outside its gaps, up to a microsecond."""
        inside = (start_s >= self.edges_s[0]) & (end_s <= self.edges_s[-1])
        missing = np.interp(end_s, self.edges_s, self.unknown_s) - np.interp(start_s, self.edges_s, self.unknown_s)
        return inside & (missing < 1e-6)

    def seconds(self, when_utc: datetime) -> float:
        """Time of that moment."""
        return (when_utc - self.origin_utc).total_seconds()

    def moment(self, time_s: float) -> datetime:
        """The moment of that time."""
        return self.origin_utc + timedelta(seconds=time_s)
