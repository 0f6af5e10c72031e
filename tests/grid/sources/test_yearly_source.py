"""Yearly means: what is bundled, what is not given, and that each reading tells its year."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib import resources

import pytest

from grid import ZoneError
from grid.sources.yearly import YearlyFact, YearlySource
from grid.testing import NOON
from grid.zones import ZONES


@pytest.fixture
def source() -> YearlySource:
    return YearlySource()


def test_every_row_is_a_known_country_with_a_plausible_figure_of_a_recent_year(source: YearlySource) -> None:
    text = resources.files("grid").joinpath("data/yearly.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert len(rows) == len(source.zones) >= 200
    assert source.zones <= ZONES
    for zone in source.zones:
        fact = source.fact(zone)
        assert 10 < fact.g_per_kwh < 1400, zone
        assert 2020 <= fact.year <= 2025, zone
        assert fact.source == "Ember"


def test_figures_are_those_that_were_published(source: YearlySource) -> None:
    assert source.fact("FR") == YearlyFact(41.44, 2025, "Ember")
    assert source.fact("IN") == YearlyFact(670.13, 2025, "Ember")
    assert source.fact("HK") == YearlyFact(675.48, 2024, "Ember")


def test_a_reading_tells_publisher_and_year(source: YearlySource) -> None:
    latest = source.latest("HK", NOON + timedelta(minutes=20))
    assert (latest.g_per_kwh, latest.source, latest.status) == (675.48, "yearly:ember-2024", "static")
    assert (latest.kind, latest.factors, latest.start_utc) == ("average", "lifecycle", NOON)


def test_a_part_is_not_given_the_figure_of_its_country(source: YearlySource) -> None:
    for zone, country in (("US-CAL-CISO", "US"), ("GB-LONDON", "GB"), ("GB-SW1A", "GB"), ("DK-DK1", "DK")):
        with pytest.raises(ZoneError, match=f"^zone: yearly has no figure for '{zone}'; it has one for '{country}'"):
            source.check_zone(zone)
        with pytest.raises(ZoneError, match="another grid"):
            source.latest(zone, NOON)


def test_a_country_that_nobody_published_has_none(source: YearlySource) -> None:
    with pytest.raises(ZoneError, match=r"^zone: yearly has no figure for 'AQ'$"):
        source.history("AQ", NOON - timedelta(days=1), NOON)


def test_a_misspelt_zone_is_told(source: YearlySource) -> None:
    with pytest.raises(ZoneError, match=r"'UK' is not a known zone. Did you mean 'GB'"):
        source.check_zone("UK")
