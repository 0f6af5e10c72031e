"""What a span of a series comes to. Everything is weighted by time, and what is unknown counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from grid import Intensity, Series, Status

__all__ = ["Standing", "Summary", "standing", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A span of a series.

    Attributes:
        mean_g_per_kwh: over what is known.
        lowest: the reading with the lowest value, the first of several. highest: that with the highest.
        known_s: time that readings cover. asked_s: length of the span.
        shares: share of the known time by status.
    """

    mean_g_per_kwh: float
    lowest: Intensity
    highest: Intensity
    known_s: float
    asked_s: float
    shares: dict[Status, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a value compares with a span: the shares of its known time that were above and below the value."""

    above: float
    below: float


def summarise(series: Series, start_utc: datetime, end_utc: datetime) -> Summary | None:
    """What [start_utc, end_utc) comes to; None where nothing of it is known."""
    parts = list(_clipped(series, start_utc, end_utc))
    if not parts:
        return None
    known_s = sum(seconds for _, seconds in parts)
    by_status: dict[Status, float] = {}
    for reading, seconds in parts:
        by_status[reading.status] = by_status.get(reading.status, 0.0) + seconds
    return Summary(
        mean_g_per_kwh=sum(reading.g_per_kwh * seconds for reading, seconds in parts) / known_s,
        lowest=min((reading for reading, _ in parts), key=lambda r: r.g_per_kwh),
        highest=max((reading for reading, _ in parts), key=lambda r: r.g_per_kwh),
        known_s=known_s,
        asked_s=(end_utc - start_utc).total_seconds(),
        shares={status: seconds / known_s for status, seconds in by_status.items()},
    )


def standing(g_per_kwh: float, series: Series, start_utc: datetime, end_utc: datetime) -> Standing | None:
    """How a value compares with [start_utc, end_utc); None where nothing of that is known."""
    parts = list(_clipped(series, start_utc, end_utc))
    known_s = sum(seconds for _, seconds in parts)
    if not known_s:
        return None
    above_s = sum(seconds for reading, seconds in parts if reading.g_per_kwh > g_per_kwh)
    below_s = sum(seconds for reading, seconds in parts if reading.g_per_kwh < g_per_kwh)
    return Standing(above_s / known_s, below_s / known_s)


def _clipped(series: Series, start_utc: datetime, end_utc: datetime) -> Iterator[tuple[Intensity, float]]:
    """The readings of the span, each with how many seconds of it lie within."""
    for reading in series.between(start_utc, end_utc):
        inside = min(reading.end_utc, end_utc) - max(reading.start_utc, start_utc)
        yield reading, inside.total_seconds()
