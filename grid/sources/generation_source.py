"""What sources have in common that know generation per fuel, and no intensity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from grid.clock import UtcNow
from grid.errors import SourceError
from grid.intensity import Factors, Intensity, Kind, Series, checked_factors
from grid.source import Capability
from grid.sources.generation import HOUR, FedIn, GenerationMix

if TYPE_CHECKING:
    from grid.http.api import HttpApi

__all__ = ["GenerationSource"]


class GenerationSource(ABC):
    """Average intensity of what is generated in a zone, hour by hour, measured; no forecast.

    Attributes:
        accounting: `production`: imports are not counted.
        oldest: how old the end of the latest hour may be; older is NoData.
        missed_for: how long plants that have fallen silent are missed, so that hours without them are unknown.
        since_utc: the provider has nothing before.
    """

    name: ClassVar[str]
    oldest: ClassVar[timedelta]
    missed_for: ClassVar[timedelta]
    since_utc: ClassVar[datetime]
    can: frozenset[Capability] = frozenset({"latest", "history"})
    kind: Kind = "average"
    accounting: Literal["production"] = "production"
    slot_s = HOUR.total_seconds()

    def __init__(self, api: HttpApi, *, factors: Factors, now_utc: UtcNow) -> None:
        self.factors = checked_factors(factors, self.name)
        self._api = api
        self._mix = GenerationMix(
            name=self.name,
            factors=factors,
            ask=self._fed_in,
            now_utc=now_utc,
            oldest=self.oldest,
            missed_for=self.missed_for,
            since_utc=self.since_utc,
        )

    @abstractmethod
    def check_zone(self, zone: str) -> None:
        """Accept the zones that it covers."""

    @abstractmethod
    def _fed_in(self, zone: str, start_utc: datetime, end_utc: datetime) -> Iterable[FedIn]:
        """What was fed in, in hours that touch the span; nothing of plants that told nothing."""

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The newest hour that every fuel of the zone has a figure for; NoData where that is too old."""
        self.check_zone(zone)
        return self._mix.latest(zone, now_utc)

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:  # noqa: ARG002
        """There is none: what these providers forecast is no mix."""
        self.check_zone(zone)
        raise SourceError(f"{self.name}: it has no forecast of the mix")

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The hours that every fuel of the zone has a figure for: requests of nine days each."""
        self.check_zone(zone)
        return self._mix.history(zone, start_utc, end_utc)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()
