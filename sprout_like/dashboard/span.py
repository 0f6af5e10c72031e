"""The spans that the page can show, and how finely each is cut. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["SPANS", "Span"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that ends now.

    Attributes:
        name: what it is called.
        step_s: length of its buckets, in s; they begin at whole multiples of it since 1970 (UTC).
        buckets_n: how many there are, the one that holds now included.
    """

    name: str
    step_s: int
    buckets_n: int

    def since_utc(self, now_utc: datetime) -> datetime:
        """Start of its first bucket."""
        return self.bucket_utc(now_utc) - timedelta(seconds=self.step_s * (self.buckets_n - 1))

    def bucket_utc(self, when_utc: datetime) -> datetime:
        """Start of the bucket that holds a moment."""
        step = timedelta(seconds=self.step_s)
        return when_utc - (when_utc - _EPOCH) % step


SPANS: Final[Mapping[str, Span]] = {
    span.name: span
    for span in (Span("hour", 60, 60), Span("day", 3600, 24), Span("week", 3600, 168), Span("month", 6 * 3600, 120))
}
