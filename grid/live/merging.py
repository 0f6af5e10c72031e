"""Several tellings of the same spans, made one series: pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime

from grid.intensity import Intensity, Series

__all__ = ["merged"]

_RANK = {"forecast": 0, "estimated": 1, "static": 2, "actual": 2}


def merged(readings: Iterable[Intensity]) -> Series:
    """A series in which of readings that overlap only the better one stands.

    Actual is better than estimated, estimated better than forecast, and among equals the one fetched last.

    Raises:
        BadData: the readings mix zones, kinds or factors.
    """
    kept: list[Intensity] = []
    starts: list[datetime] = []
    for reading in sorted(readings, key=_worth, reverse=True):
        place = bisect_left(starts, reading.start_utc)
        clear_before = place == 0 or kept[place - 1].end_utc <= reading.start_utc
        clear_after = place == len(kept) or starts[place] >= reading.end_utc
        if clear_before and clear_after:
            kept.insert(place, reading)
            starts.insert(place, reading.start_utc)
    return Series(kept)


def _worth(reading: Intensity) -> tuple[int, float]:
    return _RANK[reading.status], reading.fetched_at_utc.timestamp()
