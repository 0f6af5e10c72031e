"""Electricity Maps: documents in the API's shapes, and its traps."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, NoData, SourceRefused, SourceSpecError, ZoneError
from grid.sources.electricity_maps import ElectricityMapsSource
from grid.testing import NOON, ManualClock
from grid.testing.electricity_maps import LoopbackElectricityMaps

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY = LoopbackElectricityMaps.key


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + timedelta(minutes=10))


@pytest.fixture
def server(clock: ManualClock) -> Iterator[LoopbackElectricityMaps]:
    with LoopbackElectricityMaps(now_utc=clock, g_per_kwh=lambda when: 100 + when.hour) as running:
        yield running


@pytest.fixture
def make(server: LoopbackElectricityMaps, clock: ManualClock) -> Iterator[Callable[..., ElectricityMapsSource]]:
    with contextlib.ExitStack() as made:

        def build(key: str = KEY, **options: Any) -> ElectricityMapsSource:
            source = ElectricityMapsSource(key, **{"base_url": f"{server.url}/v4", "now_utc": clock, **options})
            return made.enter_context(contextlib.closing(source))

        yield build


@pytest.fixture
def source(make: Callable[..., ElectricityMapsSource]) -> ElectricityMapsSource:
    return make()


def _answering(document: Any, **options: Any) -> ElectricityMapsSource:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(document).encode()))
    return ElectricityMapsSource(KEY, transport=transport, now_utc=ManualClock(), **options)


def _hour(start: str = "2026-03-02T12:00:00.000Z", **fields: Any) -> dict[str, Any]:
    return {
        "zone": "DE",
        "carbonIntensity": 302,
        "datetime": start,
        "emissionFactorType": "lifecycle",
        "isEstimated": False,
        **fields,
    }


def test_latest_says_where_it_is_from_and_what_it_counts() -> None:
    latest = _answering(_hour(isEstimated=True, estimationMethod="SOMETHING_NEW")).latest("DE", NOON)
    assert (latest.g_per_kwh, latest.status) == (302, "estimated")
    assert (latest.start_utc, latest.end_utc, latest.fetched_at_utc) == (NOON, NOON + HOUR, NOON)
    assert (latest.kind, latest.factors, latest.source) == ("average", "lifecycle", "electricity-maps")


def test_figures_may_have_decimals() -> None:
    assert _answering(_hour(carbonIntensity=58.765447504659946)).latest("DE", NOON).g_per_kwh == 58.765447504659946


@pytest.mark.parametrize("version", ["/v3", "/v4", "/v4/", ""])
def test_base_urls_of_every_version_will_do(
    make: Callable[..., ElectricityMapsSource], server: LoopbackElectricityMaps, version: str
) -> None:
    assert make(base_url=f"{server.url}{version}").latest("DE", NOON).g_per_kwh == 112
    assert server.paths == [f"{version.rstrip('/')}/carbon-intensity/latest"]


def test_every_question_turns_the_lookup_of_the_callers_own_zone_off(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps
) -> None:
    source.latest("DE", NOON)
    source.history("DE", NOON - HOUR, NOON)
    source.history("DE", NOON - 3 * DAY, NOON)
    source.forecast("DE", NOON, NOON + HOUR)
    assert len({asked.path for asked in server.asked}) == 4
    for asked in server.asked:
        assert asked.query["zone"] == "DE"
        assert asked.query["disableCallerLookup"] == "true"
        assert asked.query["shouldUseFallbackCallerLookup"] == "false"
        assert asked.query["temporalGranularity"] == "hourly"


@pytest.mark.parametrize(("factors", "expected"), [("lifecycle", 112), ("direct", 62)])
def test_the_factors_asked_for_are_the_factors_of_the_reading(
    make: Callable[..., ElectricityMapsSource], factors: Any, expected: float
) -> None:
    latest = make(factors=factors).latest("DE", NOON)
    assert (latest.g_per_kwh, latest.factors) == (expected, factors)


@pytest.mark.parametrize(
    "wrong",
    [{"zone": "FR"}, {"emissionFactorType": "direct"}, {"temporalGranularity": "daily"}, {"isEstimated": "no"}],
    ids=lambda wrong: next(iter(wrong)),
)
@pytest.mark.parametrize("form", ["object", "list"])
def test_an_answer_to_another_question_is_bad_data(wrong: dict[str, Any], form: str) -> None:
    document = _hour(**wrong) if form == "object" else {"zone": "DE", "history": [_hour(), _hour(**wrong)]}
    source = _answering(document)
    with pytest.raises(BadData, match=rf"^electricity-maps: .*{next(iter(wrong))}"):
        source.latest("DE", NOON) if form == "object" else source.history("DE", NOON - HOUR, NOON + HOUR)


def test_what_an_answer_says_of_all_its_hours_is_checked() -> None:
    hour = {"carbonIntensity": 302, "datetime": "2026-03-02T12:00:00Z"}
    source = _answering({"zone": "DE", "temporalGranularity": "5_minutes", "forecast": [hour]})
    with pytest.raises(BadData, match="temporalGranularity hourly"):
        source.forecast("DE", NOON, NOON + HOUR)


@pytest.mark.parametrize("document", [_hour(), {"zone": "DE", "data": _hour()}, {"zone": "DE", "data": [_hour()]}])
def test_one_hour_may_come_in_several_forms(document: Any) -> None:
    assert _answering(document).latest("DE", NOON).g_per_kwh == 302


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"_disclaimer": "…", "status": "no-data", "countryCode": "DE", "data": {}}, NoData),
        ({"_disclaimer": "…", "status": "idk-what-happened", "countryCode": "DE", "data": {}}, BadData),
        ({"error": "an error with status 200"}, BadData),
        ({"zone": "DE", "carbonIntensity": None, "datetime": "2026-03-02T12:00:00.000Z"}, NoData),
        ({"zone": "DE", "data": []}, NoData),
        ({"zone": "DE", "data": "none"}, BadData),
        ({"zone": "DE", "data": [302]}, BadData),
        ({"zone": "DE", "datetime": "2026-03-02T12:00:00.000Z"}, BadData),
        (_hour("2026-03-02T12:00:00"), BadData),
        (_hour("2026-03-02T13:00:00+01:00"), BadData),
        (_hour("9999-12-31T23:30:00Z"), BadData),
        (_hour("2026-03-02T14:00:00Z"), BadData),
        (_hour("2026-03-01T10:00:00Z"), NoData),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_an_answer_without_an_hour_of_now_is_an_error(document: Any, error: type[GridError]) -> None:
    with pytest.raises(error, match=r"^electricity-maps: ") as caught:
        _answering(document).latest("DE", NOON)
    assert type(caught.value) is error


@pytest.mark.parametrize("small_plan", [True, False])
@pytest.mark.parametrize("minutes", [0, 47, 48, 59])
def test_latest_is_the_running_hour_though_the_next_is_published_before_it_begins(
    source: ElectricityMapsSource,
    server: LoopbackElectricityMaps,
    clock: ManualClock,
    small_plan: bool,
    minutes: int,
) -> None:
    server.small_plan = small_plan
    clock.now_utc = NOON + timedelta(minutes=minutes)
    latest = source.latest("DE", clock())
    assert (latest.start_utc, latest.g_per_kwh) == (NOON, 112)
    assert len(server.asked) == (1 if minutes < 48 else 2)


def test_where_only_hours_ahead_are_known_there_is_no_latest() -> None:
    with pytest.raises(NoData, match="no hour of DE but those after"):
        _answering(_hour()).latest("DE", NOON - timedelta(minutes=12))


def test_an_hour_that_does_not_say_whether_it_was_measured_is_estimated() -> None:
    hour = {"zone": "DE", "carbonIntensity": 302, "datetime": "2026-03-02T12:00:00.000Z"}
    for document in (hour, {**hour, "isEstimated": None}):
        assert _answering(document).latest("DE", NOON).status == "estimated"
    assert _answering({**hour, "isEstimated": False}).latest("DE", NOON).status == "actual"


@pytest.mark.parametrize("minutes", [10, 50])
def test_the_first_hour_of_the_last_day_is_asked_for_where_the_answer_lacks_it(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps, clock: ManualClock, minutes: int
) -> None:
    clock.now_utc = NOON + timedelta(minutes=minutes)
    start_utc = NOON - 23 * HOUR
    assert len(source.history("DE", start_utc, clock())) == 24
    server.small_plan = True
    assert len(source.history("DE", start_utc, clock())) == (24 if minutes < 48 else 23)


def test_the_last_day_is_asked_of_what_every_plan_has(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps
) -> None:
    server.small_plan = True
    history = source.history("DE", NOON - 23 * HOUR, NOON + HOUR)
    assert [reading.g_per_kwh for reading in history] == [100 + (NOON + n * HOUR).hour for n in range(-23, 1)]
    assert [reading.status for reading in history] == 21 * ["actual"] + 3 * ["estimated"]
    assert server.paths == ["/v4/carbon-intensity/history"]


def test_a_small_plan_answers_for_the_last_day_without_its_first_hour(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps, clock: ManualClock
) -> None:
    whole = source.history("DE", clock() - DAY, clock())
    server.small_plan = True
    assert list(source.history("DE", clock() - DAY, clock())) == list(whole)[1:]


def test_a_plan_without_older_hours_or_forecasts_says_so(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps
) -> None:
    server.small_plan = True
    with pytest.raises(SourceRefused, match=r"403 .*Access denied.*plan"):
        source.history("DE", NOON - 2 * DAY, NOON)
    with pytest.raises(SourceRefused, match=r"403 .*Access denied.*plan"):
        source.forecast("DE", NOON, NOON + HOUR)


def test_a_long_history_is_asked_for_in_pieces_that_the_api_takes(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps
) -> None:
    start_utc = NOON - 25 * DAY + timedelta(minutes=20)
    history = source.history("DE", start_utc, NOON - timedelta(minutes=30))
    assert history[0].start_utc == NOON - 25 * DAY
    assert history[-1].start_utc == NOON - HOUR
    assert len(history) == 25 * 24
    assert all(reading.g_per_kwh == 100 + reading.start_utc.hour for reading in history)
    assert len(server.paths) == 3


@pytest.mark.parametrize(("hours", "horizon_h"), [(1, 24), (23, 24), (25, 48), (60, 72), (200, 72)])
def test_a_forecast_asks_for_the_horizon_it_needs(
    source: ElectricityMapsSource, server: LoopbackElectricityMaps, hours: int, horizon_h: int
) -> None:
    forecast = source.forecast("DE", NOON + HOUR, NOON + hours * HOUR + HOUR / 2)
    assert server.asked[-1].query["horizonHours"] == str(horizon_h)
    assert [reading.start_utc for reading in forecast] == [NOON + n * HOUR for n in range(1, min(hours, 72) + 1)]
    assert {reading.status for reading in forecast} == {"forecast"}


def test_nothing_is_known_beyond_three_days(source: ElectricityMapsSource) -> None:
    with pytest.raises(NoData, match=r"^electricity-maps: no figure for DE from"):
        source.forecast("DE", NOON + 4 * DAY, NOON + 5 * DAY)


def test_a_wrong_key_names_its_setting(make: Callable[..., ElectricityMapsSource]) -> None:
    with pytest.raises(SourceRefused, match="check electricity_maps_key") as caught:
        make("wrong-key").latest("DE", NOON)
    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize(("key", "options"), [("", {}), ("a b", {}), (KEY, {"factors": "both"})])
def test_what_cannot_be_used_is_told_at_construction(key: str, options: dict[str, Any]) -> None:
    with pytest.raises(SourceSpecError):
        ElectricityMapsSource(key, **options)


@pytest.mark.parametrize("zone", ["US-CAL-CISO", "IN-WE", "AU-NSW", "XK"])
def test_it_covers_its_own_zones(source: ElectricityMapsSource, zone: str) -> None:
    source.check_zone(zone)


@pytest.mark.parametrize(
    ("zone", "near"), [("CAISO", "US-CAL-CISO"), ("UK", "GB"), ("de", "DE"), ("US-CAL-CIS", "CISO")]
)
def test_another_zone_is_told_with_the_nearest(source: ElectricityMapsSource, zone: str, near: str) -> None:
    with pytest.raises(ZoneError, match=f"zone: electricity-maps covers .*'{zone}' was asked for; .*{near}"):
        source.check_zone(zone)


def test_regions_that_only_the_uks_own_api_knows_are_not_covered(source: ElectricityMapsSource) -> None:
    with pytest.raises(ZoneError):
        source.check_zone("GB-LONDON")


KEYS = "zone data history forecast status carbonIntensity datetime isEstimated temporalGranularity emissionFactorType"
values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["DE", "2026-03-02T12:00:00.000Z", "2026-03-02T10:00Z", "hourly", "lifecycle"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner),
    max_leaves=12,
)
hours = st.builds(lambda odd: _hour(**odd), st.dictionaries(st.sampled_from(KEYS.split()), values, max_size=2))
answers = st.builds(
    lambda key, points: {"zone": "DE", key: points},
    st.sampled_from(["data", "history", "forecast"]),
    st.lists(hours, max_size=3),
)


@given(values | hours | answers)
def test_no_document_raises_anything_but_our_errors(document: Any) -> None:
    source = _answering(document)
    for ask in (
        lambda: source.latest("DE", NOON),
        lambda: source.history("DE", NOON - HOUR, NOON + HOUR),
        lambda: source.history("DE", NOON - 2 * DAY, NOON + HOUR),
        lambda: source.forecast("DE", NOON, NOON + HOUR),
    ):
        with contextlib.suppress(GridError):
            ask()
