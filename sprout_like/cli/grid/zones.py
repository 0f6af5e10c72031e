"""The zones a source covers, and the sources that cover a place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from grid import Capability, Factors, Kind, Source, ZoneError
from sprout_like.cli.grid.opening import source_for_zones
from sprout_like.cli.grid.screen import Screen
from sprout_like.cli.grid.times import in_words

__all__ = ["Coverage", "coverages", "covered", "show_coverages", "show_zones"]

# These take any zone, and what they answer is the user's own.
_USERS_OWN = frozenset({"static", "trace"})
_A_POSTCODE_DISTRICT = "GB-SW1A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A built-in source that covers a zone.

    Attributes:
        keyless: whether it needs no key.
        slot_s: length of a reading's span in s.
    """

    name: str
    keyless: bool
    kind: Kind
    factors: Factors
    can: tuple[Capability, ...]
    slot_s: float


def covered(source: Source) -> list[str]:
    """Every zone there is that a source covers, in order; postcode districts are not among them."""
    from grid.zones import UK_REGIONS, ZONES

    return sorted(zone for zone in ZONES | UK_REGIONS.keys() if _covers(source, zone))


def coverages(zone: str) -> list[Coverage]:
    """The built-in sources that cover a zone, those without a key first."""
    from grid.opening.built_in import BUILT_IN, KEYLESS

    found = []
    for name in BUILT_IN.keys() - _USERS_OWN:
        source = source_for_zones(name, zone)
        if _covers(source, zone):
            can = tuple(sorted(source.can))
            found.append(
                Coverage(
                    name=name,
                    keyless=name in KEYLESS,
                    kind=source.kind,
                    factors=source.factors,
                    can=can,
                    slot_s=source.slot_s,
                )
            )
        source.close()
    return sorted(found, key=lambda coverage: (not coverage.keyless, coverage.name))


def _covers(source: Source, zone: str) -> bool:
    try:
        source.check_zone(zone)
    except ZoneError:
        return False
    return True


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
    if _covers(source, _A_POSTCODE_DISTRICT):
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
