"""What a source is: somebody who can be asked for intensities."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from grid.intensity import Factors, Intensity, Kind, Series

__all__ = ["Capability", "Source"]

Capability = Literal["latest", "forecast", "history"]


@runtime_checkable
class Source(Protocol):
    """One provider. Stateless towards its callers: what is kept, and for how long, is `grid.live`'s part.

    `latest`, `forecast` and `history` may wait for the network. They raise `SourceRefused`, `SourceDown` or `BadData`
    where there is no usable answer, `NoData` where the provider has none, `ZoneError` for a zone that `check_zone`
    refuses, and `SourceError` at once where they are not among `can`. They may be called from several threads at once.
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
    def kind(self) -> Kind:
        """Kind of every reading it gives."""
        ...

    @property
    def factors(self) -> Factors:
        """What every reading it gives counts."""
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
        """Readings that touch [start_utc, end_utc), a span that lies ahead.

        What the source does not know is missing, as a gap or at the end; NoData where nothing is known.
        """
        ...

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Readings that touch [start_utc, end_utc), a span that lies behind; gaps and errors as in `forecast`."""
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...
