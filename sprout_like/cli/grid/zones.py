"""The zones a source covers, and the sources that cover a place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from grid import Source
from sprout_like.cli.grid.screen import Screen
from sprout_like.cli.grid.times import in_words
from sprout_like.coverage import Coverage, covers

__all__ = ["coverages_as_data", "covered", "show_coverages", "show_zones", "zones_as_data"]

_A_POSTCODE_DISTRICT = "GB-SW1A"


def covered(source: Source) -> list[str]:
    """Every zone there is that a source covers, in order; postcode districts are not among them."""
    from grid.zones import UK_REGIONS, ZONES

    return sorted(zone for zone in ZONES | UK_REGIONS.keys() if covers(source, zone))


def zones_as_data(source: Source, zones: list[str]) -> dict[str, Any]:
    """The zones of a source for machines."""
    return {"source": source.name, "zones": zones}


def coverages_as_data(place: str, zone: str, found: list[Coverage]) -> dict[str, Any]:
    """The sources of a place for machines."""
    return {"place": place, "zone": zone, "sources": [asdict(coverage) for coverage in found]}


def show_zones(screen: Screen, source: Source, zones: list[str]) -> None:
    """Print the zones in columns."""
    screen.title(f"{source.name} covers {len(zones)} {'zone' if len(zones) == 1 else 'zones'}")
    screen.columns(zones)
    if covers(source, _A_POSTCODE_DISTRICT):
        screen.text(f"and postcode districts such as {_A_POSTCODE_DISTRICT}", "dim")


def show_coverages(screen: Screen, place: str, zone: str, found: list[Coverage]) -> None:
    """Print the sources in a table."""
    screen.title(zone if place == zone else f"{place} is in {zone}")
    if not found:
        screen.text("No built-in source covers it; static:G_PER_KWH and trace:FILE take any zone.")
        return
    rows = [
        (
            source.name,
            "no key" if source.keyless else "needs one",
            f"{source.kind}, {source.factors}",
            in_words(source.slot_s),
            *("yes" if asked in source.can else "no" for asked in ("forecast", "history")),
        )
        for source in found
    ]
    screen.table(("source", "key", "counts", "slot", "forecast", "history"), rows)
