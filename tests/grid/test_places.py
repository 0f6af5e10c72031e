from __future__ import annotations

import csv
from contextlib import suppress
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.errors import ZoneError
from grid.places import PROVIDERS, resolve_zone, zone_at, zone_of_cloud_region
from grid.zones import ZONES


def rows(name: str) -> list[dict[str, str]]:
    text = resources.files("grid").joinpath("data", name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("DE", "DE"),
        (" us_cal_ciso ", "US-CAL-CISO"),
        ("gb-london", "GB-LONDON"),
        ("GB-sw1a", "GB-SW1A"),
        ("aws:eu-west-1", "IE"),
        ("AWS: us-east-1", "US-MIDA-PJM"),
        ("gcp:europe-west4", "NL"),
        ("azure:westeurope", "NL"),
        ("azure:West Europe", "NL"),
        ("australiaeast", "AU-NSW"),
        ("europe-north1", "FI"),
        ("us-east-1", "US-MIDA-PJM"),
        ("us-east1", "US-CAR-SC"),
        ("48.85,2.35", "FR"),
        (" 48.85 , 2.35 ", "FR"),
        ("-33.87 151.21", "AU-NSW"),
    ],
)
def test_every_form_of_a_place_resolves(place: str, zone: str) -> None:
    assert resolve_zone(place) == zone


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("Germany", "'Germany' is not a known zone. Did you mean 'DE'"),
        ("Texas", "Did you mean 'US-TEX-ERCO'"),
        ("eu-west-9", "Did you mean aws:eu-west"),
        ("aws:eu-west-9", "aws has no region 'eu-west-9' in our table. Did you mean"),
        ("azure:zzz", "Give its zone or its latitude and longitude"),
        ("ibm:eu-de", "'ibm' is not a cloud provider we know; there are aws, azure, gcp"),
        ("91,0", "not a latitude"),
        ("0,181", "not a latitude"),
        ("30,-40", "km from the nearest town we know"),
        ("", "not a known zone"),
        ("ibm:" + "x" * 5000, "we know"),
        ("x" * 5000 + ":eu", "xxx...xxx"),
    ],
)
def test_an_unknown_place_is_told_with_the_nearest_names(place: str, told: str) -> None:
    with pytest.raises(ZoneError, match="zone: ") as caught:
        resolve_zone(place)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (34.05, -118.24, "US-CAL-LDWP"),
        (37.77, -122.42, "US-CAL-CISO"),
        (38.58, -121.49, "US-CAL-BANC"),
        (31.76, -106.49, "US-SW-EPE"),
        (47.61, -122.33, "US-NW-SCL"),
        (29.76, -95.37, "US-TEX-ERCO"),
        (41.88, -87.63, "US-MIDA-PJM"),
        (55.68, 12.57, "DK-DK2"),
        (56.16, 10.20, "DK-DK1"),
        (55.10, 14.70, "DK-BHM"),
        (59.33, 18.07, "SE-SE3"),
        (55.60, 13.00, "SE-SE4"),
        (59.91, 10.75, "NO-NO1"),
        (60.39, 5.32, "NO-NO5"),
        (45.46, 9.19, "IT-NO"),
        (38.12, 13.36, "IT-SIC"),
        (54.60, -5.93, "GB-NIR"),
        (28.12, -15.43, "ES-CN-GC"),
        (39.57, 2.65, "ES-IB-MA"),
        (35.68, 139.69, "JP-TK"),
        (34.69, 135.50, "JP-KN"),
        (19.08, 72.88, "IN-WE"),
        (-3.12, -60.02, "BR-N"),
        (5.98, 116.07, "MY-EM"),
        (-36.85, 174.76, "NZ"),
        (22.32, 114.17, "HK"),
        (32.53, -117.02, "MX"),
        (42.3149, -83.0364, "CA-ON"),
        (42.3314, -83.0458, "US-MIDW-MISO"),
        (40.7178, -74.0431, "US-MIDA-PJM"),
        (40.7127, -74.0134, "US-NY-NYIS"),
        (40.7465, -74.0014, "US-NY-NYIS"),
        (43.7384, 7.4246, "MC"),
        (43.7745, 7.4975, "FR"),
        (-25.5163, -54.5854, "BR-S"),
        (-25.5991, -54.5735, "AR-NEA"),
    ],
)
def test_cities_lie_in_their_zone(latitude: float, longitude: float, zone: str) -> None:
    assert zone_at(latitude, longitude) == zone


@pytest.mark.parametrize(("latitude", "longitude"), [(float("nan"), 0.0), (0.0, float("inf"))])
def test_what_is_no_number_is_no_place(latitude: float, longitude: float) -> None:
    with pytest.raises(ZoneError):
        zone_at(latitude, longitude)


def test_the_date_line_is_no_border() -> None:
    assert zone_at(-16.8, 179.99) == zone_at(-16.8, -179.99) == "FJ"


@given(st.text(max_size=30))
def test_any_text_is_a_zone_or_a_zone_error(place: str) -> None:
    with suppress(ZoneError):
        assert resolve_zone(place)


def test_the_tables_hold_known_zones_and_each_key_once() -> None:
    regions = rows("cloud_regions.csv")
    assert {row["provider"] for row in regions} == set(PROVIDERS)
    assert len({(row["provider"], row["region"]) for row in regions}) == len(regions) >= 150
    assert {row["zone"] for table in ("cloud_regions.csv", "places.csv", "names.csv") for row in rows(table)} <= ZONES
    assert all(zone_of_cloud_region(row["provider"], row["region"]) == row["zone"] for row in regions)
