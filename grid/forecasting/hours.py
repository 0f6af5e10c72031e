"""Readings of any length, gaps included, as one figure an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grid.intensity import Intensity

__all__ = ["Floats", "History", "hourly"]

Floats = npt.NDArray[np.float64]

# An hour of which less than this is covered by readings is a gap.
_LEAST_COVER = 0.5


@dataclass(frozen=True, slots=True)
class History:
    """What is known. Times are in h after the history's end, so negative, and no clock hour cuts the newest hour.

    Attributes:
        middle_h: middles of the hours that are not a gap, ascending, -0.5 at the latest.
        g_per_kwh: their means, weighted by time.
        slot_h: length of the newest reading.
        short_middle_h: middles of the readings that are shorter than an hour.
        short_g_per_kwh: their figures.
        decimals: of the readings, where the source rounds them to 0 or 1; None where it has more.
    """

    middle_h: Floats
    g_per_kwh: Floats
    slot_h: float
    short_middle_h: Floats
    short_g_per_kwh: Floats
    decimals: int | None


def hourly(readings: Sequence[Intensity], most_h: int) -> History:
    """The last `most_h` hours up to the end of the last reading.

    Args:
        readings: in order of time, at least one.
        most_h: how many hours to look back.
    """
    end_s = readings[-1].end_utc.timestamp()
    spans = np.array([(reading.start_utc.timestamp(), reading.end_utc.timestamp()) for reading in readings])
    spans = (spans - end_s) / 3600
    values = np.array([reading.g_per_kwh for reading in readings])
    lengths = spans[:, 1] - spans[:, 0]
    edges = np.arange(-most_h, 1, dtype=np.float64)
    cover = _per_hour(spans, lengths, edges)
    known = cover >= _LEAST_COVER
    amount = _per_hour(spans, lengths * values, edges)
    short = (lengths < 1) & (spans[:, 0] >= -most_h)
    return History(
        middle_h=edges[:-1][known] + 0.5,
        g_per_kwh=amount[known] / cover[known],
        slot_h=float(lengths[-1]),
        short_middle_h=spans.mean(axis=1)[short],
        short_g_per_kwh=values[short],
        decimals=next((decimals for decimals in (0, 1) if np.array_equal(values, values.round(decimals))), None),
    )


def _per_hour(spans: Floats, amounts: Floats, edges: Floats) -> Floats:
    """What falls into each hour of amounts that are spread evenly over their spans."""
    after = np.cumsum(amounts)
    total = np.stack([after - amounts, after], axis=1).ravel()
    return np.maximum(np.diff(np.interp(edges, spans.ravel(), total)), 0.0)
