"""Yearly means by country, bundled: what to fall back to where nobody knows better, and no substitute for it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from grid.errors import ZoneError
from grid.intensity import Factors, Intensity, Kind, Series
from grid.source import Capability
from grid.sources.static import StaticSource
from grid.zones import check_known

__all__ = ["YearlyFact", "YearlySource"]


@dataclass(frozen=True, slots=True)
class YearlyFact:
    """A country's mean over one year.

    Attributes:
        g_per_kwh: g CO2e per kWh produced there, life cycle; imports are left out.
        year: the calendar year it is the mean of.
        source: who published it.
    """

    g_per_kwh: float
    year: int
    source: str


class YearlySource:
    """The mean of the latest published year, for some 210 countries, with status `static` in spans of one UTC hour.

    The figures are Ember's, processed by Our World in Data (CC BY 4.0): life cycle, production. A reading's source
    tells publisher and year, as in `yearly:ember-2024`. Parts of a country are grids of their own, and are not given
    the country's figure.
    """

    name = "yearly"
    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    kind: Kind = "average"
    factors: Factors = "lifecycle"
    slot_s = StaticSource.slot_s

    def __init__(self) -> None:
        self._facts = _read()

    @property
    def zones(self) -> frozenset[str]:
        """The zones it has a figure for."""
        return frozenset(self._facts)

    def fact(self, zone: str) -> YearlyFact:
        """The figure for a zone, with its year and who published it.

        Raises:
            ZoneError: there is none; the message names the country's zone where there is one for that.
        """
        if (fact := self._facts.get(zone)) is not None:
            return fact
        check_known(zone)
        said = f"zone: {self.name} has no figure for {zone!r}"
        country = zone.partition("-")[0]
        if country in self._facts:
            said += f"; it has one for {country!r}, which is another grid: ask for that if it is what you mean"
        raise ZoneError(said)

    def check_zone(self, zone: str) -> None:
        """Accept the zones there is a figure for.

        Raises:
            ZoneError: any other.
        """
        self.fact(zone)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The figure, for the current hour."""
        return self._static(zone).latest(zone, now_utc)

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The figure, hour by hour."""
        return self._static(zone).forecast(zone, start_utc, end_utc)

    history = forecast

    def close(self) -> None:
        """Nothing to release."""

    def _static(self, zone: str) -> StaticSource:
        fact = self.fact(zone)
        name = f"{self.name}:{fact.source.lower()}-{fact.year}"
        return StaticSource(fact.g_per_kwh, factors=self.factors, name=name)


def _read() -> Mapping[str, YearlyFact]:
    text = resources.files("grid").joinpath("data/yearly.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["zone"]: YearlyFact(float(row["g_per_kwh"]), int(row["year"]), row["source"]) for row in rows}
