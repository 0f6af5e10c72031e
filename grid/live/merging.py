"""Several tellings of the same spans, or several sources' tellings, made one series: pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from grid.intensity import Intensity, Series

__all__ = ["merged", "of_one_source"]

_RANK = {"forecast": 0, "estimated": 1, "static": 2, "actual": 2}


def merged(readings: Iterable[Intensity]) -> Series:
    """A series in which of readings that overlap only the better one stands.

    What a chain's first member said is better than what came after passing it over, then actual better than estimated,
    estimated better than forecast, and among equals the one fetched last.

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


def of_one_source(readings: Series) -> Series:
    """Those of the source with most of them; a figure of the year, which says nothing of an hour, yields to any."""
    counts = Counter((reading.status != "static", reading.source) for reading in readings)
    if len(counts) <= 1:
        return readings
    _, most = max(counts, key=lambda one: (one[0], counts[one]))
    return Series(reading for reading in readings if reading.source == most)


def _worth(reading: Intensity) -> tuple[bool, int, float]:
    return not reading.passed_over, _RANK[reading.status], reading.fetched_at_utc.timestamp()
