"""What some number of requests or tokens took, and the standard that scores it. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass

from sprout_like.reports.interval import Figure

__all__ = ["Cost", "Sci"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some number of requests or tokens took.

    Attributes:
        purpose: `request` or `job`. intensity_kind, intensity_factors: of the grams; None: intensity unknown.
        per: the unit, `1,000 requests` or `new token`. units: how many of them, of the requests that know their energy.
        energy_j, operational_g, embodied_g: per unit, in J and g CO2e.
        water_l: per unit, in l; None unless the setting `wue_l_per_kwh` is given.
        price: per unit, in `currency`; None unless the setting `price_per_kwh` is given.
        currency: as the user names it.
    """

    purpose: str
    intensity_kind: str | None
    intensity_factors: str | None
    per: str
    units: float
    energy_j: Figure
    operational_g: Figure
    embodied_g: Figure
    water_l: Figure
    price: Figure
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sci:
    """Software Carbon Intensity: (E × I + M) per R (ISO/IEC 21031:2024), of requests or of items of jobs.

    Attributes:
        purpose, intensity_kind, intensity_factors: whose.
        functional_unit: R: `request` or `1,000 new tokens`. units: how many, of the requests of known emissions.
        energy_kwh: E, per unit, PUE included. intensity_g_per_kwh: I, the mean over that energy.
        operational_g: O = E × I, per unit. embodied_g: M, per unit.
        score_g: O + M; None where either is unknown, as a score without M is none.
    """

    purpose: str
    intensity_kind: str
    intensity_factors: str
    functional_unit: str
    units: float
    energy_kwh: Figure
    intensity_g_per_kwh: float | None
    operational_g: Figure
    embodied_g: Figure
    score_g: Figure
