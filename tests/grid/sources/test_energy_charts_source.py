"""The Energy-Charts source against documents in the API's shape and against the API's traps."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, NoData, SourceError, ZoneError
from grid.sources.energy_charts import ENERGY_CHARTS_COUNTRIES, EnergyChartsSource
from grid.testing import NOON, Answer, ManualClock
from grid.testing.energy_charts import LoopbackEnergyCharts
from grid.zones import ZONES

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
NOON_S = int(NOON.timestamp())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + timedelta(minutes=20))


@pytest.fixture
def server(clock: ManualClock) -> Iterator[LoopbackEnergyCharts]:
    with LoopbackEnergyCharts(now_utc=clock, g_per_kwh=lambda when: 100 + when.hour) as running:
        yield running


@pytest.fixture
def source(server: LoopbackEnergyCharts, clock: ManualClock) -> Iterator[EnergyChartsSource]:
    made = EnergyChartsSource(base_url=server.url, now_utc=clock)
    yield made
    made.close()


def _document(starts: Any = None, actual: Any = None, forecast: Any = None) -> str:
    starts = [NOON_S + 900 * n for n in (-2, -1, 0, 1)] if starts is None else starts
    return json.dumps(
        {
            "unix_seconds": starts,
            "co2eq": [491.5, 497.4, None, None] if actual is None else actual,
            "co2eq_forecast": [None, None, 505.0, 508.0] if forecast is None else forecast,
            "deprecated": False,
        }
    )


def test_every_zone_is_canonical_and_every_country_in_lower_case() -> None:
    assert ENERGY_CHARTS_COUNTRIES.keys() <= ZONES
    assert len(set(ENERGY_CHARTS_COUNTRIES.values())) == len(ENERGY_CHARTS_COUNTRIES) >= 40
    assert all(country == country.lower() for country in ENERGY_CHARTS_COUNTRIES.values())


@pytest.mark.parametrize(("zone", "country"), [("DE", "de"), ("GB", "uk"), ("GB-NIR", "nie"), ("XK", "xk")])
def test_a_zone_is_asked_for_in_the_words_of_the_api(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, zone: str, country: str
) -> None:
    assert source.latest(zone, NOON).zone == zone
    assert server.asked[-1].path == "/co2eq"
    assert server.asked[-1].query == {
        "country": country,
        "start": "2026-03-01T12:00Z",
        "end": "2026-03-02T13:00Z",
    }


@pytest.mark.parametrize("can", ["history", "forecast"])
def test_slots_are_not_stretched_where_every_second_one_is_missing(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, can: str
) -> None:
    start = NOON - 5 * HOUR if can == "history" else NOON + 5 * HOUR
    server.alter = lambda points: [p for p in points if p.start_utc < start or p.start_utc.minute in (0, 30)]
    series = getattr(source, can)("DE", start, start + 3 * HOUR)
    assert {one.end_utc - one.start_utc for one in series} == {QUARTER}
    assert [one.start_utc for one in series] == [start + n * HOUR / 2 for n in range(6)]


def test_two_stamps_do_not_tell_a_slot_longer_than_the_shortest(
    source: EnergyChartsSource, server: LoopbackEnergyCharts
) -> None:
    server.alter = lambda points: [p for p in points if p.start_utc in (NOON - HOUR, NOON - HOUR / 2)]
    with pytest.raises(BadData, match="2 stamps 0:30:00 to 0:30:00 apart does not tell the length"):
        source.history("DE", NOON - HOUR, NOON)


@pytest.mark.parametrize("zone", ["DE-LU", "DK-DK1", "US", "EU", "de", ""])
def test_another_zone_is_an_error_from_memory(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, zone: str
) -> None:
    with pytest.raises(ZoneError, match=f"^zone: energy-charts covers 45 countries of Europe .*'{zone}' was asked for"):
        source.check_zone(zone)
    for ask in (source.forecast, source.history):
        with pytest.raises(ZoneError):
            ask(zone, NOON, NOON + DAY)
    assert not server.asked


def test_latest_is_the_forecast_of_this_slot_while_it_is_not_measured(source: EnergyChartsSource) -> None:
    latest = source.latest("DE", NOON + timedelta(minutes=20))
    assert (latest.start_utc, latest.g_per_kwh, latest.status) == (NOON + QUARTER, 122, "forecast")
    assert (latest.kind, latest.factors, latest.source) == ("average", "lifecycle", "energy-charts")


def test_latest_is_the_newest_measured_figure_where_there_is_no_forecast(
    source: EnergyChartsSource, server: LoopbackEnergyCharts
) -> None:
    server.answer = Answer(_document(forecast=[None] * 4))
    latest = source.latest("DE", NOON)
    assert (latest.start_utc, latest.g_per_kwh, latest.status) == (NOON - QUARTER, 497.4, "actual")


@pytest.mark.parametrize("days", [-3, 3], ids=["long ago", "in the future"])
def test_figures_of_another_day_are_not_now(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, days: int
) -> None:
    starts = [NOON_S + days * 86_400 + 900 * n for n in range(4)]
    server.answer = Answer(_document(starts))
    with pytest.raises(NoData, match=r"^energy-charts: no figure for DE in the 24 h before"):
        source.latest("DE", NOON)


def test_history_prefers_what_was_measured_and_a_forecast_does_not(
    source: EnergyChartsSource, server: LoopbackEnergyCharts
) -> None:
    server.answer = Answer(_document(actual=[491.5, 497.4, 1.5, None], forecast=[None, None, 505, 508]))
    history = source.history("DE", NOON - HOUR, NOON + HOUR)
    assert [(r.g_per_kwh, r.status) for r in history] == [
        (491.5, "actual"),
        (497.4, "actual"),
        (1.5, "actual"),
        (508, "forecast"),
    ]
    forecast = source.forecast("DE", NOON - HOUR, NOON + HOUR)
    assert [(r.g_per_kwh, r.status) for r in forecast] == [(505, "forecast"), (508, "forecast")]


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_the_length_of_a_slot_is_told_by_the_stamps(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, minutes: int
) -> None:
    server.slot = timedelta(minutes=minutes)
    history = source.history("DE", NOON - 3 * HOUR, NOON - 2 * HOUR)
    assert {r.end_utc - r.start_utc for r in history} == {server.slot}
    assert (history[0].start_utc, history[-1].end_utc) == (NOON - 3 * HOUR, NOON - 2 * HOUR)


def test_a_short_span_is_asked_for_with_its_hour(source: EnergyChartsSource) -> None:
    at = NOON - 3 * HOUR + timedelta(minutes=20)
    history = source.history("DE", at, at + timedelta(minutes=1))
    assert [(r.start_utc, r.end_utc - r.start_utc) for r in history] == [(NOON - 3 * HOUR + QUARTER, QUARTER)]


def test_a_long_history_is_asked_for_in_pieces(source: EnergyChartsSource, server: LoopbackEnergyCharts) -> None:
    history = source.history("DE", NOON - 200 * DAY, NOON)
    assert len(history) == 200 * 96
    assert len(server.asked) == 3


def test_a_forecast_ends_where_the_api_knows_no_more(source: EnergyChartsSource, clock: ManualClock) -> None:
    forecast = source.forecast("DE", NOON, NOON + 4 * DAY)
    assert forecast[-1].end_utc - clock() < 48 * HOUR + QUARTER
    with pytest.raises(NoData, match=r"^energy-charts: no figure for DE from"):
        source.forecast("DE", NOON + 10 * DAY, NOON + 11 * DAY)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_document(actual=[1, 2, 3]), "4 unix_seconds, 3 co2eq, 4 co2eq_forecast"),
        (_document(forecast=[1, 2, 3, 4, 5]), "differ in length"),
        (_document(starts=[]), "differ in length"),
        (_document(starts={}), "does not hold the list"),
        ('{"unix_seconds": [0], "co2eq": [1]}', "does not hold the list"),
        (_document(starts=[str(NOON_S)] * 4), "not a time in seconds"),
        (_document(starts=[True] * 4), "not a time in seconds"),
        (_document(starts=[10**30] * 4), "is no date"),
        (_document([NOON_S], [1], [None]), "one stamp only"),
        (_document(starts=[NOON_S + 60 * n for n in range(4)]), "does not tell the length of its slots"),
        (_document(starts=[NOON_S + 7200 * n for n in range(4)]), "does not tell the length of its slots"),
        (_document(starts=[NOON_S, NOON_S + 900, NOON_S + 1800, NOON_S + 3000]), "does not tell the length"),
    ],
)
def test_a_document_that_is_not_in_shape_is_bad_data(
    source: EnergyChartsSource, server: LoopbackEnergyCharts, document: str, said: str
) -> None:
    server.answer = Answer(document)
    with pytest.raises(BadData, match=rf"^energy-charts: .*{said}"):
        source.latest("DE", NOON)


def test_empty_lists_are_no_data(source: EnergyChartsSource, server: LoopbackEnergyCharts) -> None:
    server.answer = Answer(_document([], [], []))
    with pytest.raises(NoData):
        source.latest("DE", NOON)


def test_the_api_tells_which_country_it_does_not_have(source: EnergyChartsSource, server: LoopbackEnergyCharts) -> None:
    server.answer = Answer("'xx' is not the code for an available country.", status=400)
    with pytest.raises(SourceError, match=r"answered 400 .*'xx' is not the code for an available country"):
        source.latest("DE", NOON)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.integers(-5, 5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=8,
)
stamps = st.lists(st.integers(-4, 8).map(lambda n: NOON_S + 900 * n) | json_values, max_size=5)


@given(
    json_values
    | st.fixed_dictionaries(
        {
            "unix_seconds": stamps | json_values,
            "co2eq": st.lists(json_values, max_size=5) | json_values,
            "co2eq_forecast": st.lists(json_values, max_size=5) | json_values,
        }
    )
)
def test_no_document_raises_anything_but_our_errors(document: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(document).encode()))
    source = EnergyChartsSource(transport=transport, now_utc=ManualClock())
    for ask in (
        lambda: source.latest("DE", NOON),
        lambda: source.history("DE", NOON, NOON + HOUR),
        lambda: source.forecast("DE", NOON, NOON + HOUR),
    ):
        with contextlib.suppress(GridError):
            ask()
