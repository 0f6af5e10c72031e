"""Spans of time, joined and cut so that few questions cover many requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

__all__ = ["Span", "cut", "joined"]

Span = tuple[datetime, datetime]


def joined(spans: Iterable[Span], bridge: timedelta) -> list[Span]:
    """The fewest spans, in order of time, that cover all, where gaps no longer than `bridge` are covered too."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= bridge:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def cut(span: Span, longest: timedelta) -> Iterator[Span]:
    """The span in pieces no longer than `longest`, in order of time."""
    start, end = span
    while start < end:
        until = min(start + longest, end)
        yield start, until
        start = until
