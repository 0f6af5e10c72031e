"""What settlement reads of a request, and what it writes beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from grid import Source

__all__ = ["Group", "Provisional", "Scope", "Settled"]


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Grams that may be added up: of one zone, kind and set of factors."""

    zone: str
    kind: str
    factors: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests that are looked at.

    Attributes:
        zone: theirs; None for all zones.
        since_utc: when the first of them began; None for all.
    """

    zone: str | None = None
    since_utc: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisional:
    """A request of known energy that was logged without a published actual: columns of its row.

    Its intensity was a forecast, an estimate or a static figure, held beyond its span, or unknown.
    """

    request_id: str
    zone: str
    started_utc: datetime
    duration_s: float
    energy_j: float
    pue: float
    operational_g: float | None
    intensity_kind: str | None
    intensity_factors: str | None
    intensity_source: str | None
    settled_g_per_kwh: float | None
    settled_kind: str | None
    settled_factors: str | None
    settled_status: str | None
    settled_source: str | None
    settled_operational_g: float | None

    @property
    def ended_utc(self) -> datetime:
        """When the answer was there."""
        return self.started_utc + timedelta(seconds=self.duration_s)

    @property
    def known_g(self) -> float | None:
        """The best figure so far, in g CO2e; None where there is none."""
        return self.operational_g if self.settled_operational_g is None else self.settled_operational_g

    def group(self, source: Source) -> Group:
        """What it can be settled by; a row without kind and factors takes those that `source` would have given it."""
        kind = self.intensity_kind or self.settled_kind or source.kind
        factors = self.intensity_factors or self.settled_factors or source.factors
        return Group(self.zone, kind, factors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is written beside a request: columns of `sprout_like.record.RequestRecord`."""

    request_id: str
    settled_g_per_kwh: float
    settled_kind: str
    settled_factors: str
    settled_status: str
    settled_source: str
    settled_operational_g: float | None
    settled_utc: datetime

    def repeats(self, row: Provisional) -> bool:
        """Whether the row says all this already."""
        said = (row.settled_g_per_kwh, row.settled_kind, row.settled_factors, row.settled_status, row.settled_source)
        says = (
            self.settled_g_per_kwh,
            self.settled_kind,
            self.settled_factors,
            self.settled_status,
            self.settled_source,
        )
        return said == says and row.settled_operational_g == self.settled_operational_g
