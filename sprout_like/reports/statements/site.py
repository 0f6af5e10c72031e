"""Electricity, water, money, scope 2, and grams in everyday terms. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass

from sprout_like.reports.interval import Figure

__all__ = ["Equivalence", "LocationBased", "MarketBased", "Scope2", "Site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationBased:
    """Scope 2 by the grid's average.

    Attributes:
        intensity_factors: `direct` or `lifecycle`; the latter holds upstream emissions that the Protocol puts into
            scope 3. kwh: electricity behind it, PUE included. operational_g: g CO2e.
    """

    intensity_factors: str
    kwh: Figure
    operational_g: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketBased:
    """Scope 2 by contract.

    Attributes:
        g_per_kwh: the contract's factor. source: as the user states it. kwh: electricity, PUE included.
        operational_g: the product, in g CO2e.
    """

    g_per_kwh: float
    source: str
    kwh: Figure
    operational_g: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope2:
    """GHG Protocol, Scope 2 Guidance (2015): location-based and market-based beside each other, never added up.

    Attributes:
        location: emissions by average intensities, all purposes together, apart for each set of factors; marginal ones
            are not scope 2 and not here.
        market: by the user's contract, of all electricity known; None where the settings name none.
        kwh: all electricity known, PUE included. marginal_kwh, unknown_kwh: the parts of it whose intensity is
            marginal and unknown, of which no location-based figure is stated.
    """

    location: tuple[LocationBased, ...]
    market: MarketBased | None
    kwh: Figure
    marginal_kwh: float
    unknown_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Electricity, water and money of all purposes together.

    Attributes:
        meter_kwh: at the IT equipment. facility_kwh: PUE included. pues: as in the rows, rising.
        wue_l_per_kwh, wue_source: water per kWh of IT equipment, and who says so. water_l: in l.
        price_per_kwh, currency: as set. price: of `facility_kwh`.
        overhead_j, idle_j: loading, warm-up and compilation, and the time between requests, by the closed accounts of
            the span, in J; None where there is none. idle_shared: whether lines hold a share of it.
    """

    meter_kwh: Figure
    facility_kwh: Figure
    pues: tuple[float, ...]
    wue_l_per_kwh: float | None
    wue_source: str | None
    water_l: Figure
    price_per_kwh: float | None
    currency: str | None
    price: Figure
    overhead_j: float | None
    idle_j: float | None
    idle_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Grams in everyday terms.

    Attributes:
        intensity_kind, intensity_factors: of the grams. operational_g: which they are.
        what: e.g. `km in an average car`. amount: how many. g_each: the factor. source: who published it.
    """

    intensity_kind: str
    intensity_factors: str
    operational_g: float
    what: str
    amount: float
    g_each: float
    source: str
