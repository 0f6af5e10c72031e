from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, NoData, Series, SourceError, ZoneError
from grid.sources.eia import RESPONDENT_BY_ZONE, EiaSource
from grid.testing import NOON, Answer, ManualClock
from grid.testing.eia import LoopbackEia
from grid.zones import ZONES

HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[LoopbackEia]:
    with LoopbackEia(now_utc=ManualClock(), g_per_kwh=lambda when: 100 + when.hour) as running:
        yield running


@pytest.fixture
def source(server: LoopbackEia) -> Iterator[EiaSource]:
    made = EiaSource("key", base_url=server.url, now_utc=ManualClock())
    yield made
    made.close()


def row(period: Any = "2026-03-02T12", fuel: Any = "COL", value: Any = "100", **other: Any) -> dict[str, Any]:
    return {"period": period, "respondent": "CISO", "fueltype": fuel, "value": value, **other}


def document(*rows: Any, **response: Any) -> str:
    return json.dumps({"response": {"total": len(rows), "frequency": "hourly", "data": list(rows), **response}})


def latest(body: str) -> float:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body.encode()))
    return EiaSource("key", transport=transport, now_utc=ManualClock()).latest("US-CAL-CISO", NOON).g_per_kwh


def test_an_hour_is_named_by_its_end(source: EiaSource) -> None:
    reading = source.latest("US-CAL-CISO", NOON)
    assert (reading.start_utc, reading.end_utc) == (NOON - HOUR, NOON)
    assert reading.g_per_kwh == pytest.approx(111)
    assert (reading.zone, reading.status, reading.factors) == ("US-CAL-CISO", "actual", "lifecycle")


def test_direct_factors_are_another_figure(server: LoopbackEia) -> None:
    source = EiaSource("key", factors="direct", base_url=server.url, now_utc=ManualClock())
    reading = source.latest("US-CAL-CISO", NOON)
    assert reading.factors == source.factors == "direct"
    assert reading.g_per_kwh == pytest.approx((111 - 11) / (820 - 11) * 760)
    source.close()


def test_the_question_is_the_documented_one(server: LoopbackEia, source: EiaSource) -> None:
    source.history("US-TEX-ERCO", NOON - 24 * HOUR, NOON)
    asked, *before = server.asked
    assert asked.query["facets[respondent][]"] == "ERCO"
    assert (asked.query["start"], asked.query["end"]) == ("2026-03-01T01", "2026-03-02T12")
    assert asked.query["api_key"] == "key"
    assert (before[0].query["start"], before[-1].query["end"]) == ("2026-01-30T01", "2026-03-01T00")


def test_pages_are_put_together(server: LoopbackEia, source: EiaSource) -> None:
    whole = source.history("US-CAL-CISO", NOON - 24 * HOUR, NOON)
    server.rows_per_page = 100
    server.asked.clear()
    assert source.history("US-CAL-CISO", NOON - 24 * HOUR, NOON) == whole
    assert [asked.query["offset"] for asked in server.asked] == ["0", "100"]


def test_without_a_total_a_page_that_is_not_full_is_the_last(server: LoopbackEia, source: EiaSource) -> None:
    server.answer = Answer(json.dumps({"response": {"data": [row()]}}))
    assert source.latest("US-CAL-CISO", NOON).g_per_kwh == pytest.approx(820)
    assert {asked.query["offset"] for asked in server.asked} == {"0"}


def test_a_total_that_is_never_reached_ends(server: LoopbackEia, source: EiaSource) -> None:
    server.answer = Answer(document(row(), total="1000000"))
    with pytest.raises(BadData, match="announces 1000000 rows"):
        source.latest("US-CAL-CISO", NOON)
    server.answer = Answer(document(total="1000000"))
    with pytest.raises(NoData):
        source.latest("US-CAL-CISO", NOON)


@pytest.mark.parametrize("value", ["100", 100, 100.0, "1e2"])
def test_figures_are_text_or_numbers(value: Any) -> None:
    assert latest(document(row(value=value), row(fuel="WND", value="300"))) == pytest.approx((820 + 3 * 11) / 4)


@pytest.mark.parametrize("zero", [0, "0", 0.0])
def test_zero_is_a_figure(zero: Any) -> None:
    assert latest(document(row(value=zero), row(fuel="WND", value=5))) == pytest.approx(11)


@pytest.mark.parametrize("storage", ["BAT", "PS", "OES", "UES"])
@pytest.mark.parametrize("value", [900, -900, None])
def test_storage_is_no_generation(storage: str, value: Any) -> None:
    assert latest(document(row(), row(fuel=storage, value=value))) == pytest.approx(820)


def test_a_fuel_that_is_null_throughout_is_none_of_the_zones() -> None:
    assert latest(document(row(), row("2026-03-02T11"), row(fuel="NUC", value=None))) == pytest.approx(820)


def test_a_fuel_that_is_null_now_leaves_the_hour_unknown() -> None:
    nuclear = row("2026-03-02T11", "NUC", 100), row(fuel="NUC", value=None)
    assert latest(document(row(), row("2026-03-02T11", value=300), *nuclear)) == pytest.approx((3 * 820 + 12) / 4)


def test_a_fuel_that_has_been_null_for_weeks_is_missed(server: LoopbackEia, source: EiaSource) -> None:
    silent_since = NOON - timedelta(days=25)
    server.alter = lambda points: [
        dataclasses.replace(p, value=None) if p.start_utc >= silent_since else p for p in points
    ]
    with pytest.raises(NoData, match=r"no hour of the last 72 is known for every fuel; missing: coal \(COL\)$"):
        source.latest("US-CAL-CISO", NOON)
    assert source.history("US-CAL-CISO", silent_since - HOUR, NOON)[-1].end_utc == silent_since


def test_a_battery_behind_the_meter_of_sun_may_charge() -> None:
    assert latest(document(row(), row(fuel="SNB", value=-900))) == pytest.approx(820)


@pytest.mark.parametrize(
    "answer",
    [
        document({**row(), "respondent": "ERCO"}),
        document({**row(), "respondent": None}),
        document(row(fuel="XYZ")),
        document(row(fuel=None)),
        document(row(fuel=["COL"])),
        document(row(period="2026-03-02T12:00")),
        document(row(period="2026-13-02T12")),
        document(row(period=20260302)),
        document(row(value=True)),
        document(row(value="")),
        document(row(value="--")),
        document(row(value=10**400)),
        document(row(value=-(10**400))),
        document(row(fuel="BAT", value="n/a")),
        document(row(**{"value-units": "gigawatthours"})),
        document(row(), row(value="101")),
        document([]),
        document(None),
        document("COL"),
        document({}),
        document(row(), total="many"),
        document(row(), total=True),
        document(row(), frequency="local-hourly"),
        document(row(), data=None),
        '{"response": null}',
        '{"error": "too many"}',
    ],
)
def test_an_answer_that_is_out_of_order_is_bad_data(answer: str) -> None:
    with pytest.raises(BadData, match=r"^eia: ") as caught:
        latest(answer)
    assert len(str(caught.value)) < 300


def test_what_is_three_days_old_is_not_now(server: LoopbackEia, source: EiaSource) -> None:
    server.answer = Answer(document(row(period="2026-02-27T12")))
    assert source.latest("US-CAL-CISO", NOON).end_utc == NOON - 72 * HOUR
    server.answer = Answer(document(row(period="2026-02-27T11")))
    with pytest.raises(NoData, match="last 72"):
        source.latest("US-CAL-CISO", NOON)


def test_every_balancing_authority_is_covered_and_the_country() -> None:
    parts = {zone for zone in ZONES if zone.count("-") == 2 and zone.startswith("US-")}
    assert set(RESPONDENT_BY_ZONE) == {"US"} | {zone for zone in parts if not zone.startswith(("US-HI", "US-AK"))}
    assert RESPONDENT_BY_ZONE["US"] == "US48"
    assert RESPONDENT_BY_ZONE["US-MIDA-PJM"] == "PJM"


@pytest.mark.parametrize("zone", ["DE", "US-HI-OA", "US-AK", "US-CAL"])
def test_other_zones_are_refused_with_the_nearest(zone: str) -> None:
    with pytest.raises(ZoneError, match=r"zone: eia covers 'US' and .* such as US-"):
        EiaSource("key").check_zone(zone)


def test_it_has_no_forecast(source: EiaSource) -> None:
    assert "forecast" not in source.can
    with pytest.raises(SourceError, match="no forecast"):
        source.forecast("US", NOON, NOON + HOUR)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["CISO", "COL", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["response", "data", "total", "period", "respondent", "value"]), inner)
    ),
    max_leaves=8,
)
rows = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["2026-03-02T12", "2026-03-02T11", "2099-12-31T23"]) | json_values,
        "respondent": st.just("CISO") | json_values,
        "fueltype": st.sampled_from(["COL", "WND", "BAT", "SNB"]) | json_values,
        "value": st.floats(-1e7, 1e7) | json_values,
    }
)
documents = st.fixed_dictionaries({"response": st.fixed_dictionaries({"data": st.lists(rows, max_size=4)})})


@given(json_values | documents)
def test_no_document_raises_anything_but_our_errors(document: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(document).encode()))
    source = EiaSource("key", transport=transport, now_utc=ManualClock())
    with contextlib.suppress(GridError):
        assert 0 <= source.latest("US-CAL-CISO", NOON).g_per_kwh <= 1000
    with contextlib.suppress(GridError):
        assert isinstance(source.history("US-CAL-CISO", NOON - 3 * HOUR, NOON), Series)
