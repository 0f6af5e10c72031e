"""Electricity as standards and bills see it: GHG Protocol scope 2, PUE, water, money; grams in everyday terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sprout_like.carbon import JOULES_PER_KWH
from sprout_like.errors import SettingError
from sprout_like.reports.interval import Figure
from sprout_like.reports.report import Device, Equivalence, LocationBased, MarketBased, Scope2, Site
from sprout_like.reports.sections.overview import by_key
from sprout_like.reports.sections.reading import Cell
from sprout_like.reports.sections.sums import Sums, energy, grams, ratio
from sprout_like.settings import Settings

__all__ = ["check_sources", "equivalences", "scope2", "site"]


@dataclass(frozen=True, slots=True)
class _Everyday:
    what: str
    g_each: float
    source: str


_EVERYDAY: Final = (
    # 8,887 g per US gallon; a gallon is 3.785411784 l.
    _Everyday(
        "l of petrol burnt", 8887 / 3.785411784, "US EPA: 8,887 g CO2 per US gallon of gasoline (75 FR 25324, 2010)"
    ),
    # 3.98e-4 t per mile; a mile is 1.609344 km.
    _Everyday(
        "km in an average US car",
        398 / 1.609344,
        "US EPA, Greenhouse Gas Equivalencies Calculator, January 2021: 3.98e-4 t CO2e per mile",
    ),
)


def check_sources(settings: Settings) -> None:
    """Find out whether each factor that is the user's own says where it is from.

    Raises:
        SettingError: one does not.
    """
    for name, source in (
        ("market_g_per_kwh", "market_source"),
        ("wue_l_per_kwh", "wue_source"),
        ("price_per_kwh", "currency"),
    ):
        stated = getattr(settings, source)
        if getattr(settings, name) is not None and not (stated and stated.strip()):
            what = "in which currency is it" if source == "currency" else "who states it"
            raise SettingError(source, f"{name} is set, and {what}?", f"Set {source} too")


def scope2(cells: Sequence[Cell], settings: Settings) -> Scope2 | None:
    """Of all purposes; None where no energy is known."""
    whole = Sums.over(cell.sums for cell in cells)
    if whole.energy_j is None:
        return None
    apart = by_key(cells, lambda cell: (cell.kind, cell.factors))
    kwh = _facility_kwh(whole)
    market = None
    if settings.market_g_per_kwh is not None and settings.market_source is not None:
        market = MarketBased(
            g_per_kwh=settings.market_g_per_kwh,
            source=settings.market_source,
            kwh=kwh,
            operational_g=kwh.times(settings.market_g_per_kwh),
        )
    return Scope2(
        location=tuple(
            LocationBased(intensity_factors=factors, kwh=_facility_kwh(sums), operational_g=grams(sums))
            for (kind, factors), sums in sorted(
                (item for item in apart.items() if item[0][0] == "average"), key=lambda item: item[0][1] or ""
            )
            if factors is not None
        ),
        market=market,
        kwh=kwh,
        marginal_kwh=_plain_kwh(sums for (kind, _), sums in apart.items() if kind == "marginal"),
        unknown_kwh=_plain_kwh(sums for (kind, _), sums in apart.items() if kind is None),
    )


def site(cells: Sequence[Cell], devices: Iterable[Device], settings: Settings, *, idle_shared: bool) -> Site:
    """Of all purposes, and beside them the time between requests."""
    whole = Sums.over(cell.sums for cell in cells)
    closed = list(devices)
    meter_kwh, facility_kwh = energy(whole).times(1 / JOULES_PER_KWH), _facility_kwh(whole)
    return Site(
        meter_kwh=meter_kwh,
        facility_kwh=facility_kwh,
        pues=tuple(sorted({cell.pue for cell in cells})),
        wue_l_per_kwh=settings.wue_l_per_kwh,
        wue_source=settings.wue_source,
        water_l=meter_kwh.times(settings.wue_l_per_kwh),
        price_per_kwh=settings.price_per_kwh,
        currency=settings.currency,
        price=facility_kwh.times(settings.price_per_kwh),
        overhead_j=math.fsum(device.overhead_j for device in closed) if closed else None,
        idle_j=math.fsum(device.idle_j for device in closed) if closed else None,
        idle_shared=idle_shared and bool(whole.energy_j),  # it is shared out by energy
    )


def equivalences(cells: Sequence[Cell]) -> tuple[Equivalence, ...]:
    """Of the grams of all purposes, for each kind and factors."""
    apart = by_key(cells, lambda cell: (cell.kind or "", cell.factors or ""))
    return tuple(
        Equivalence(
            intensity_kind=kind,
            intensity_factors=factors,
            operational_g=sums.operational_g,
            what=known.what,
            amount=sums.operational_g / known.g_each,
            g_each=known.g_each,
            source=known.source,
        )
        for (kind, factors), sums in sorted(apart.items(), key=lambda item: item[0])
        if kind and sums.operational_g
        for known in _EVERYDAY
    )


def _facility_kwh(sums: Sums) -> Figure:
    """Energy × PUE in kWh."""
    return (
        energy(sums)
        .times(1.0 if sums.energy_j == 0 else ratio(sums.facility_j, sums.energy_j))
        .times(1 / JOULES_PER_KWH)
    )


def _plain_kwh(parts: Iterable[Sums]) -> float:
    return math.fsum(part.facility_j or 0.0 for part in parts) / JOULES_PER_KWH
