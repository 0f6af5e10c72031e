"""What the UK's Carbon Intensity API calls a place: the whole country, a region by number, a postcode district."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from grid.errors import ZoneError
from grid.zones import UK_REGIONS, is_uk_postcode_zone

__all__ = ["UKPlace", "uk_place"]


@dataclass(frozen=True, slots=True)
class UKPlace:
    """A zone in the API's own words.

    Attributes:
        zone: its canonical name.
        key: the field by which answers name it, `regionid` or `postcode`; None for the whole country.
        value: what that field holds.
    """

    zone: str
    key: str | None = None
    value: int | str | None = None

    @property
    def national(self) -> bool:
        """Whether it is the whole country, for which figures are measured and not only modelled."""
        return self.key is None

    def now(self) -> str:
        """Where the current half hour is."""
        return "/intensity" if self.national else f"/regional/{self.key}/{self.value}"

    def ahead(self, start_utc: datetime) -> str:
        """Where the 48 h from a moment are."""
        return self._span(f"{_stamp(start_utc)}/fw48h")

    def between(self, start_utc: datetime, end_utc: datetime) -> str:
        """Where a span is."""
        return self._span(f"{_stamp(start_utc)}/{_stamp(end_utc)}")

    def is_named_by(self, item: Mapping[str, Any]) -> bool:
        """Whether a part of an answer says that it is about this place; the whole country is not named at all."""
        if self.key is None:
            return "regionid" not in item and "postcode" not in item
        said = item.get(self.key)
        return type(said) is type(self.value) and said == self.value

    def _span(self, span: str) -> str:
        return f"/intensity/{span}" if self.national else f"/regional/intensity/{span}/{self.key}/{self.value}"


def uk_place(zone: str, name: str) -> UKPlace:
    """The place that a zone is.

    Args:
        zone: canonical name: `GB`, `GB-LONDON`, `GB-SW1A`.
        name: the source's, for the message.

    Raises:
        ZoneError: none of these; the message names the nearest.
    """
    if zone == "GB":
        return UKPlace(zone)
    if zone in UK_REGIONS:
        return UKPlace(zone, "regionid", UK_REGIONS[zone])
    if is_uk_postcode_zone(zone):
        return UKPlace(zone, "postcode", zone.removeprefix("GB-"))
    near = get_close_matches(zone.upper(), ["GB", *UK_REGIONS], n=2, cutoff=0.6)
    covered = "GB, its 17 regions such as GB-LONDON and its postcode districts such as GB-SW1A"
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ZoneError(f"zone: {name} covers {covered}, and {zone!r} was asked for{hint}")


def _stamp(when_utc: datetime) -> str:
    return when_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
