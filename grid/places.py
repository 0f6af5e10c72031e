"""From what a user knows of a place (a zone, a cloud region, latitude and longitude) to its zone."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from grid.errors import ZoneError
from grid.zones import check_known, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PROVIDERS", "resolve_zone", "zone_at", "zone_of_cloud_region"]

PROVIDERS = ("aws", "azure", "gcp")

# Mean radius of the Earth, IUGG 1980.
_EARTH_KM = 6_371.0
# Farther from any town there is no grid to speak of: the open sea, the ice, the middle of a desert.
_FAR_KM = 300.0

_NUMBER = r"[+-]?\d+(?:\.\d*)?"
_POINT = re.compile(rf"({_NUMBER})\s*[,;\s]\s*({_NUMBER})")


def resolve_zone(place: str) -> str:
    """The canonical zone of a place, in whatever case and spacing.

    A place is a zone (`DE`, `us-cal-ciso`), a cloud region (`aws:eu-west-1`, `azure:West Europe`, or without provider
    where only one has a region of that name) or a point in degrees, latitude first (`48.85,2.35`).

    Raises:
        ZoneError: none of these; the message offers the nearest names.
    """
    text = place.strip()
    if point := _POINT.fullmatch(text):
        return zone_at(float(point[1]), float(point[2]))
    provider, colon, region = text.partition(":")
    if colon:
        return zone_of_cloud_region(provider, region)
    found = {table[key] for name in PROVIDERS if (key := _region_key(name, text)) in (table := _cloud_regions()[name])}
    if len(found) == 1:
        return found.pop()
    zone = text.upper().replace("_", "-")
    try:
        check_known(zone)
    except ZoneError:
        if regions := _like_region(text):
            raise ZoneError(
                f"zone: {quoted(place)} is neither a zone nor a cloud region. Did you mean {' or '.join(regions)}?"
            ) from None
        check_known(text)
        raise
    return zone


def zone_of_cloud_region(provider: str, region: str) -> str:
    """The zone a cloud region takes its power from, by a bundled table of the public regions of AWS, Azure and GCP.

    Args:
        provider: one of `PROVIDERS`.
        region: its name as the provider writes it; Azure's also in words.

    Raises:
        ZoneError: no such provider or region; the message offers the nearest names.
    """
    name = provider.strip().lower()
    if name not in PROVIDERS:
        raise ZoneError(f"zone: {quoted(provider)} is not a cloud provider we know; there are {', '.join(PROVIDERS)}")
    regions = _cloud_regions()[name]
    key = _region_key(name, region)
    if key in regions:
        return regions[key]
    near = get_close_matches(key, regions, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "Give its zone or its latitude and longitude instead."
    raise ZoneError(f"zone: {name} has no region {quoted(region.strip())} in our table. {hint}")


def zone_at(latitude: float, longitude: float) -> str:
    """The zone of the nearest town in a bundled table, by great-circle distance.

    Of towns that are not in the table, 97.7 % get their own zone (95.9 % in the United States, where control areas
    follow utilities and not borders); those that do not are near a border. See `grid/data/README.md`. Near a border,
    give the zone itself.

    Args:
        latitude: degrees, -90 to 90.
        longitude: degrees, -180 to 180.

    Raises:
        ZoneError: not a point on Earth, or more than 300 km from any town.
    """
    import numpy as np

    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ZoneError(
            f"zone: {latitude},{longitude} is not a latitude from -90 to 90 and a longitude from -180 to 180"
        )
    spots, towns = _places()
    cosines = spots @ _on_sphere(np.array([latitude]), np.array([longitude]))[0]
    index = int(cosines.argmax())
    zone, name = towns[index]
    distance_km = _EARTH_KM * math.acos(min(1.0, float(cosines[index])))
    if distance_km > _FAR_KM:
        raise ZoneError(
            f"zone: {latitude},{longitude} is {distance_km:.0f} km from the nearest town we know, {name} in {zone}; "
            "give the zone itself"
        )
    return zone


def _region_key(provider: str, region: str) -> str:
    key = "-".join(region.lower().replace("_", "-").split())
    return key.replace("-", "") if provider == "azure" else key


def _like_region(text: str) -> list[str]:
    names = {f"{provider}:{region}": region for provider, regions in _cloud_regions().items() for region in regions}
    close = get_close_matches("-".join(text.lower().split()), names.values(), n=3, cutoff=0.8)
    return [name for name, region in names.items() if region in close]


@cache
def _cloud_regions() -> Mapping[str, Mapping[str, str]]:
    tables: dict[str, dict[str, str]] = {provider: {} for provider in PROVIDERS}
    for row in _rows("cloud_regions.csv"):
        tables[row["provider"]][row["region"]] = row["zone"]
    return tables


@cache
def _places() -> tuple[NDArray[np.float64], list[tuple[str, str]]]:
    import numpy as np

    rows = _rows("places.csv")
    latitudes, longitudes = (np.array([float(row[name]) for row in rows]) for name in ("latitude", "longitude"))
    return _on_sphere(latitudes, longitudes), [(row["zone"], row["name"]) for row in rows]


def _on_sphere(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors, one per row: the nearest point on the sphere is the one with the largest scalar product."""
    import numpy as np

    latitude, longitude = np.radians(latitudes), np.radians(longitudes)
    flat = np.cos(latitude)
    return np.column_stack((flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)))


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("grid").joinpath("data", name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
