"""Regions and postcode districts of Great Britain: where they are asked for, in which shapes they come."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from grid import BadData, NoData, UKSource, ZoneError
from grid.testing import NOON, Answer, LoopbackUK
from grid.zones import UK_REGIONS

HALF_HOUR, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("zone", ["GB", *UK_REGIONS, "GB-SW1A", "GB-M1", "GB-EC1A"])
def test_it_covers_the_country_its_regions_and_its_postcodes(source: UKSource, zone: str) -> None:
    source.check_zone(zone)
    assert source.latest(zone, NOON).zone == zone


@pytest.mark.parametrize("zone", ["GB-LONDN", "GB-ORK", "GB-NIR", "GB-", "GB-SW1A 1AA", "GB-sw1a", "London", "FR"])
def test_another_zone_is_an_error_that_names_what_is_covered(source: UKSource, server: LoopbackUK, zone: str) -> None:
    with pytest.raises(ZoneError, match=f"^zone: uk covers GB, its 17 regions .*, and '{zone}' was asked for"):
        source.check_zone(zone)
    with pytest.raises(ZoneError):
        source.latest(zone, NOON)
    assert not server.asked


def test_the_nearest_region_is_offered(source: UKSource) -> None:
    with pytest.raises(ZoneError, match="did you mean GB-LONDON or "):
        source.check_zone("GB-LONDN")


@pytest.mark.parametrize(("zone", "words"), [("GB-LONDON", "regionid/13"), ("GB-SW1A", "postcode/SW1A")])
def test_each_question_is_asked_where_the_api_answers_it(
    source: UKSource, server: LoopbackUK, zone: str, words: str
) -> None:
    source.latest(zone, NOON)
    source.forecast(zone, NOON, NOON + 3 * DAY)
    source.history(zone, NOON - DAY, NOON)
    assert server.paths == [
        f"/regional/{words}",
        f"/regional/intensity/2026-03-02T12:00Z/fw48h/{words}",
        f"/regional/intensity/2026-03-04T12:00Z/fw48h/{words}",
        f"/regional/intensity/2026-03-01T12:00Z/2026-03-02T12:30Z/{words}",
    ]


@pytest.mark.parametrize("zone", ["GB-LONDON", "GB-SW1A"])
@pytest.mark.parametrize("all_regions", [False, True])
def test_a_modelled_figure_is_a_forecast_until_its_half_hour_has_ended(
    source: UKSource, server: LoopbackUK, zone: str, all_regions: bool
) -> None:
    server.all_regions = all_regions
    assert source.latest(zone, NOON).status == "forecast"
    history = source.history(zone, NOON - HOUR, NOON + HALF_HOUR)
    assert [(r.start_utc - NOON, r.g_per_kwh, r.status) for r in history] == [
        (-2 * HALF_HOUR, 111, "estimated"),
        (-1 * HALF_HOUR, 111, "estimated"),
        (0 * HALF_HOUR, 122, "forecast"),
    ]


def _slot(start: str = "12:00", end: str = "12:30", forecast: Any = 200) -> dict[str, Any]:
    return {"from": f"2026-03-02T{start}Z", "to": f"2026-03-02T{end}Z", "intensity": {"forecast": forecast}}


LONDON = {"regionid": 13, "shortname": "London"}


@pytest.mark.parametrize(
    "data",
    [
        [{**LONDON, "data": [_slot()]}],
        {**LONDON, "data": [_slot()]},
        {**LONDON, "data": _slot()},
        [{**LONDON, **_slot()}],
        [{"from": _slot()["from"], "to": _slot()["to"], "regions": [{**LONDON, "intensity": {"forecast": 200}}]}],
    ],
    ids=["list", "object", "object of object", "flat", "all regions"],
)
def test_every_shape_is_understood(source: UKSource, server: LoopbackUK, data: object) -> None:
    server.answer = Answer(json.dumps({"data": data}))
    assert source.latest("GB-LONDON", NOON).g_per_kwh == 200


@pytest.mark.parametrize(
    ("zone", "data"),
    [
        ("GB-LONDON", [{"regionid": 12, "data": [_slot()]}]),
        ("GB-LONDON", [{"regionid": "13", "data": [_slot()]}]),
        ("GB-NORTH-SCOTLAND", [{"regionid": True, "data": [_slot()]}]),
        ("GB-LONDON", {"regionid": None, "data": [_slot()]}),
        ("GB-LONDON", [_slot()]),
        ("GB-LONDON", [{**_slot(), "regions": [{"regionid": 12, "intensity": {"forecast": 200}}]}]),
        ("GB-SW1A", [{"regionid": 13, "postcode": "SW1", "data": [_slot()]}]),
        ("GB-SW1A", [{"regionid": 13, "data": [_slot()]}]),
        ("GB", [{**LONDON, "data": [_slot()]}]),
    ],
)
def test_an_answer_that_is_not_about_the_place_is_bad_data(
    source: UKSource, server: LoopbackUK, zone: str, data: object
) -> None:
    server.answer = Answer(json.dumps({"data": data}))
    with pytest.raises(BadData, match=rf"^uk: .*{zone}"):
        source.latest(zone, NOON)


@pytest.mark.parametrize("data", [[{**LONDON, "data": []}], [], [{**LONDON, "data": [_slot(forecast=None)]}]])
def test_an_answer_without_a_figure_is_no_data(source: UKSource, server: LoopbackUK, data: object) -> None:
    server.answer = Answer(json.dumps({"data": data}))
    with pytest.raises(NoData, match=r"^uk: "):
        source.latest("GB-LONDON", NOON)


def test_of_a_slot_that_two_answers_share_the_later_figure_counts(source: UKSource, server: LoopbackUK) -> None:
    early = {**LONDON, "data": [_slot("12:00", "12:30"), _slot("12:30", "13:00", 210)]}
    late = {**LONDON, "data": [_slot("12:30", "13:00", 220), _slot("13:00", "13:30", 230)]}
    server.next_answers = [Answer(json.dumps({"data": data})) for data in (early, late)]
    forecast = source.forecast("GB-LONDON", NOON, NOON + 3 * HALF_HOUR)
    assert [r.g_per_kwh for r in forecast] == [200, 220, 230]
    both = {**LONDON, "data": early["data"] + late["data"]}  # type: ignore[operator]
    server.answer = Answer(json.dumps({"data": both}))
    with pytest.raises(BadData, match="two different readings for GB-LONDON"):
        source.forecast("GB-LONDON", NOON, NOON + 3 * HALF_HOUR)
