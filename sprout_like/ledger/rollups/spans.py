"""Hours, days, and spans of them: which are read from the rows, and which from their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

__all__ = ["DAY", "FIRST", "HOUR", "LAST", "Span", "day_of", "edges", "gaps", "hour_of", "joined", "whole_days"]

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""Ends of a span that is open."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start_utc` to `end_utc`, the end excluded."""

    start_utc: datetime
    end_utc: datetime


def hour_of(moment_utc: datetime) -> datetime:
    """Start of the hour that holds the moment."""
    return moment_utc.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment_utc: datetime) -> datetime:
    """Start of the UTC day that holds the moment."""
    return hour_of(moment_utc).replace(hour=0)


def edges(since_utc: datetime | None, until_utc: datetime | None) -> list[datetime]:
    """Hours of which a span holds a part only."""
    moments = [moment for moment in (since_utc, until_utc) if moment is not None]
    return [hour_of(moment) for moment in moments if moment != hour_of(moment)]


def whole_days(span: Span) -> Span | None:
    """The days that lie in the span; None where none does."""
    first, last = day_of(span.start_utc), day_of(span.end_utc)
    if first < span.start_utc:
        first = _after(first, DAY)
    return Span(first, last) if first < last else None


def joined(starts: Iterable[datetime], *, most: int, length: timedelta = HOUR) -> list[Span]:
    """Hours, or days, as spans, in order; where these were more than `most`, the smallest gaps between are filled."""
    spans = [Span(start, _after(start, length)) for start in sorted(set(starts))]
    gap_before = [(after.start_utc - before.end_utc, place) for place, (before, after) in enumerate(pairwise(spans), 1)]
    widest = sorted(((gap, place) for gap, place in gap_before if gap), reverse=True)[: most - 1]
    cuts = [0, *sorted(place for _, place in widest), len(spans)]
    return [Span(spans[first].start_utc, spans[end - 1].end_utc) for first, end in pairwise(cuts) if first < end]


def gaps(spans: Sequence[Span], whole: Span) -> list[Span]:
    """What is left of `whole` beside the spans, which are in order and do not overlap."""
    left = []
    start_utc = whole.start_utc
    for span in spans:
        left.append(Span(start_utc, min(span.start_utc, whole.end_utc)))
        start_utc = max(start_utc, span.end_utc)
    left.append(Span(start_utc, whole.end_utc))
    return [span for span in left if span.start_utc < span.end_utc]


def _after(start_utc: datetime, length: timedelta) -> datetime:
    """That much later; `LAST` where Python's time ends before, as for the stamps of a clock gone wild."""
    return start_utc + length if start_utc <= LAST - length else LAST
