from __future__ import annotations

import pytest

from grid import ZoneError
from grid.zones import ZONES, check_known, nearest


@pytest.mark.parametrize("zone", ["GB", "DE", "US-CAL-CISO", "DK-DK1", "NO-NO5", "IT-SIC", "AU-TAS", "CA-QC", "JP-TK"])
def test_zones_that_exist_are_accepted(zone: str) -> None:
    check_known(zone)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("GBB", "GB"),
        ("gb", "GB"),
        ("UK", "GB"),
        ("us_cal_ciso", "US-CAL-CISO"),
        ("CAISO", "US-CAL-CISO"),
        ("SE-SE5", "SE-SE4"),
    ],
)
def test_a_misspelt_zone_is_told_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    assert meant in nearest(typed)
    with pytest.raises(ZoneError, match=f"{typed!r} is not a known zone. Did you mean .*{meant!r}"):
        check_known(typed)


def test_a_zone_like_no_other_gets_no_guess() -> None:
    with pytest.raises(ZoneError, match=r"'zzzzzzz' is not a known zone\. Zones are Electricity Maps keys such as GB"):
        check_known("zzzzzzz")


def test_the_table_holds_names_of_the_right_form_only() -> None:
    assert len(ZONES) > 400
    assert all(zone.isascii() and zone == zone.upper() and zone.split("-")[0].isalpha() for zone in ZONES)
    assert {zone.split("-")[0] for zone in ZONES} <= ZONES
