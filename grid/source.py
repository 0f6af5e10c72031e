"""What a source is: somebody who can be asked for intensities."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from grid.intensity import Intensity, Series

__all__ = ["Capability", "Source"]

Capability = Literal["latest", "forecast", "history"]


class Source(Protocol):
    """One provider. Stateless towards its callers: what is kept in memory, and for how long, is `grid.cache`'s part.

    Every method may wait for the network and raises `SourceRefused`, `SourceDown` or `BadData` where it has no usable
    answer; a method that is not among `can` raises `SourceError` at once.
    """

    @property
    def name(self) -> str:
        """Short name, stored in every row."""
        ...

    @property
    def can(self) -> frozenset[Capability]:
        """The methods that give an answer."""
        ...

    @property
    def slot_s(self) -> float:
        """Length of one reading's span in s: asking more often tells nothing new."""
        ...

    def check_zone(self, zone: str) -> None:
        """Say whether this source covers the zone, from memory alone.

        Raises:
            ZoneError: it does not; the message names the zones it covers or the nearest ones.
        """
        ...

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The reading whose span holds `now_utc`, or the newest before it."""
        ...

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Readings for a span that lies ahead."""
        ...

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Readings for a span that lies behind."""
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...
