from __future__ import annotations

import pytest

from grid import ZoneError
from grid.zones import UK_REGIONS, ZONES, check_known, is_uk_postcode_zone, nearest


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
        ("DE-LU", "DE"),
        ("MX-BC", "MX"),
        ("IE-SEM", "IE"),
        ("IT-NORD", "IT-NO"),
        ("DK1", "DK-DK1"),
        ("pjm", "US-MIDA-PJM"),
        ("SW1A", "GB-SW1A"),
    ],
)
def test_a_misspelt_zone_is_told_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    assert meant in nearest(typed)
    with pytest.raises(ZoneError, match=f"{typed!r} is not a known zone. Did you mean .*{meant!r}"):
        check_known(typed)


def test_a_zone_like_no_other_gets_no_guess() -> None:
    with pytest.raises(ZoneError, match=r"'zzzzzzz' is not a known zone\. Zones are Electricity Maps keys such as GB"):
        check_known("zzzzzzz")


def test_of_a_long_text_the_beginning_and_the_end_are_told() -> None:
    with pytest.raises(ZoneError) as caught:
        check_known("x" * 5000)

    assert "'xxx" in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_table_holds_names_of_the_right_form_only() -> None:
    assert len(ZONES) > 400
    assert all(zone.isascii() and zone == zone.upper() and zone.split("-")[0].isalpha() for zone in ZONES)
    assert {zone.split("-")[0] for zone in ZONES} <= ZONES


def test_the_uk_regions_are_zones_in_the_order_of_the_api() -> None:
    assert list(UK_REGIONS.values()) == list(range(1, 18))
    assert (UK_REGIONS["GB-NORTH-SCOTLAND"], UK_REGIONS["GB-LONDON"], UK_REGIONS["GB-WALES"]) == (1, 13, 17)
    for zone in UK_REGIONS:
        check_known(zone)
        assert zone not in ZONES
        assert not is_uk_postcode_zone(zone)


@pytest.mark.parametrize("zone", ["GB-SW1A", "GB-RG10", "GB-M1", "GB-EC1A", "GB-W1A", "GB-CR2", "GB-B33"])
def test_postcode_districts_are_zones(zone: str) -> None:
    assert is_uk_postcode_zone(zone)
    check_known(zone)


@pytest.mark.parametrize(
    "zone",
    ["GB", "GB-NIR", "GB-ORK", "GB-SW", "GB-1AA", "GB-SW1A 1AA", "GB-SW1A1AA", "GB-sw1a", "GB-BT1", "GB-JE2", ""],
)
def test_what_only_looks_like_a_postcode_is_none(zone: str) -> None:
    assert not is_uk_postcode_zone(zone)


@pytest.mark.parametrize(
    ("typed", "meant"), [("Germany", "DE"), ("california", "US-CAL-CISO"), ("New Zeeland", "NZ"), ("Ontario", "CA-ON")]
)
def test_a_name_in_english_is_told_with_its_zone(typed: str, meant: str) -> None:
    assert nearest(typed) == [meant]
