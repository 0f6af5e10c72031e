"""WattTime: documents in the API's shape, its traps, and the login."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, NoData, SourceDown, SourceError, SourceRefused, SourceSpecError, ZoneError
from grid.http.retrying import Retrying
from grid.sources.watttime import WattTimeSource
from grid.sources.watttime_regions import AVERAGE_REGIONS, MARGINAL_REGIONS
from grid.testing import NOON, Answer, ManualClock
from grid.testing.watttime import LoopbackWattTime
from grid.zones import ZONES

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEP = 5 * MINUTE
USER, PASSWORD = LoopbackWattTime.user, LoopbackWattTime.password
ZONE = "US-CAL-CISO"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + 2 * MINUTE)


@pytest.fixture
def server(clock: ManualClock) -> Iterator[LoopbackWattTime]:
    with LoopbackWattTime(now_utc=clock, g_per_kwh=lambda when: 100 + when.hour + when.minute / 100) as running:
        yield running


@pytest.fixture
def make(server: LoopbackWattTime, clock: ManualClock) -> Iterator[Callable[..., WattTimeSource]]:
    with contextlib.ExitStack() as made:

        def build(user: str = USER, password: str = PASSWORD, **options: Any) -> WattTimeSource:
            source = WattTimeSource(user, password, **{"base_url": server.url, "now_utc": clock, **options})
            return made.enter_context(contextlib.closing(source))

        yield build


@pytest.fixture
def source(make: Callable[..., WattTimeSource]) -> WattTimeSource:
    return make()


def _document(*points: Any, **meta: Any) -> dict[str, Any]:
    known = {
        "data_point_period_seconds": 300,
        "region": "CAISO_NORTH",
        "signal_type": "co2_moer",
        "units": "lbs_co2_per_mwh",
        "model": {"date": "2023-03-01"},
    }
    return {"data": list(points), "meta": {**known, **meta}}


def _point(start: Any = "2026-03-02T12:00:00Z", value: Any = 870, **fields: Any) -> dict[str, Any]:
    return {"point_time": start, "value": value, **fields}


def _answering(document: Any, **options: Any) -> WattTimeSource:
    def answer(request: httpx.Request) -> httpx.Response:
        is_login = request.url.path == "/login"
        return httpx.Response(200, content=json.dumps({"token": "t"} if is_login else document).encode())

    return WattTimeSource(USER, PASSWORD, transport=httpx.MockTransport(answer), now_utc=ManualClock(), **options)


def test_pounds_per_mwh_become_grams_per_kwh() -> None:
    latest = _answering(_document(_point())).latest(ZONE, NOON)
    assert latest.g_per_kwh == pytest.approx(394.6253619)
    assert (latest.start_utc, latest.end_utc, latest.fetched_at_utc) == (NOON, NOON + STEP, NOON)
    assert (latest.zone, latest.kind, latest.factors) == (ZONE, "marginal", "direct")
    assert (latest.source, latest.status) == ("watttime", "forecast")


def test_what_watttime_imputed_is_estimated() -> None:
    answer = _document(_point(imputed_data_used=True), _point("2026-03-02T12:05:00Z", imputed_data_used=False))
    assert [one.status for one in _answering(answer).history(ZONE, NOON, NOON + HOUR)] == ["estimated", "actual"]


def test_the_slot_is_as_long_as_the_answer_says() -> None:
    answer = _document(_point(), data_point_period_seconds=3600)
    assert _answering(answer).history(ZONE, NOON, NOON + HOUR)[0].end_utc == NOON + HOUR


@pytest.mark.parametrize(
    "meta",
    [
        {"units": "percentile"},
        {"units": "kg_co2_per_mwh"},
        {"units": None},
        {"region": "CAISO_SANDIEGO"},
        {"region": None},
        {"signal_type": "co2_aoer"},
        {"data_point_period_seconds": 0},
        {"data_point_period_seconds": True},
        {"data_point_period_seconds": "300"},
        {"data_point_period_seconds": None},
        {"data_point_period_seconds": 10**12},
    ],
    ids=str,
)
def test_an_answer_in_another_unit_or_to_another_question_is_bad_data(meta: dict[str, Any]) -> None:
    with pytest.raises(BadData, match=r"^watttime: forecast (was asked|answered) for "):
        _answering(_document(_point(), **meta)).latest(ZONE, NOON)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (_document(), NoData),
        (_document(_point(value=None)), NoData),
        (_document(_point("2026-03-02T10:50:00Z")), NoData),
        (_document(_point("2026-03-02T12:30:00Z")), NoData),
        (_document(_point(value="870")), BadData),
        (_document(_point(value=20_000)), BadData),
        (_document(_point(value=10**400)), BadData),
        (_document(_point("2026-03-02T12:00:00")), BadData),
        (_document(_point("9999-12-31T23:59:00Z")), BadData),
        (_document(_point(None)), BadData),
        (_document(None), BadData),
        (_document({"value": 870}), BadData),
        ({"data": [_point()]}, BadData),
        ({"meta": _document()["meta"]}, BadData),
        ({"message": "an error with status 200"}, BadData),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_an_answer_without_a_figure_of_now_is_an_error(document: Any, error: type[GridError]) -> None:
    with pytest.raises(error, match=r"^watttime: ") as caught:
        _answering(document).latest(ZONE, NOON)
    assert type(caught.value) is error


def test_latest_is_the_nowcast(source: WattTimeSource, server: LoopbackWattTime, clock: ManualClock) -> None:
    latest = source.latest(ZONE, clock())
    assert (latest.start_utc, latest.g_per_kwh) == (NOON, pytest.approx(112))
    assert server.asked[-1].path == "/v3/forecast"
    assert server.asked[-1].query == {"region": "CAISO_NORTH", "signal_type": "co2_moer", "horizon_hours": "0"}


@pytest.mark.parametrize(("minutes", "horizon_h"), [(30, 1), (60, 1), (61, 2), (24 * 60, 24), (100 * 60, 72)])
def test_a_forecast_asks_for_the_horizon_it_needs(
    source: WattTimeSource, server: LoopbackWattTime, clock: ManualClock, minutes: int, horizon_h: int
) -> None:
    forecast = source.forecast(ZONE, clock() + 10 * MINUTE, clock() + minutes * MINUTE)
    assert server.asked[-1].query["horizon_hours"] == str(horizon_h)
    assert forecast[0].start_utc == NOON + 10 * MINUTE
    assert forecast[-1].end_utc >= NOON + min(minutes * MINUTE, 72 * HOUR)
    assert {one.status for one in forecast} == {"forecast"}


def test_nothing_is_known_beyond_three_days(source: WattTimeSource) -> None:
    with pytest.raises(NoData, match=f"^watttime: no figure for {ZONE} from"):
        source.forecast(ZONE, NOON + 4 * DAY, NOON + 5 * DAY)


def test_a_long_history_is_asked_for_in_pieces_whose_ends_are_inclusive(
    source: WattTimeSource, server: LoopbackWattTime
) -> None:
    start_utc, end_utc = NOON - 65 * DAY + 7 * MINUTE, NOON - 2 * MINUTE
    history = source.history(ZONE, start_utc, end_utc)
    assert (history[0].start_utc, history[-1].end_utc) == (NOON - 65 * DAY + STEP, NOON)
    assert len(history) == 65 * 288 - 1
    asked = [(asked.query["start"], asked.query["end"]) for asked in server.asked if asked.path == "/v3/historical"]
    assert asked == [
        ("2025-12-27T12:00:00Z", "2026-01-26T11:55:00Z"),
        ("2026-01-26T12:00:00Z", "2026-02-25T11:55:00Z"),
        ("2026-02-25T12:00:00Z", "2026-03-02T11:55:00Z"),
    ]


def test_the_average_signal_has_no_forecast_and_its_latest_is_the_newest_published(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime, clock: ManualClock
) -> None:
    source = make(signal="co2_aoer")
    assert (source.kind, source.can) == ("average", {"latest", "history"})
    published = clock() - 5 * HOUR
    server.alter = lambda points: [point for point in points if point.start_utc < published]
    latest = source.latest(ZONE, clock())
    assert latest.start_utc < published <= latest.end_utc
    assert (latest.kind, latest.status) == ("average", "actual")
    with pytest.raises(SourceError, match="no forecast"):
        source.forecast(ZONE, NOON, NOON + HOUR)
    server.alter = lambda points: []
    with pytest.raises(NoData):
        source.latest(ZONE, clock())


def test_one_login_serves_many_questions(source: WattTimeSource, server: LoopbackWattTime) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: source.latest(ZONE, NOON), range(8)))) == 1
    assert server.logins == 1


def test_a_token_is_renewed_before_it_ends(
    source: WattTimeSource, server: LoopbackWattTime, clock: ManualClock
) -> None:
    for _ in range(4):
        source.latest(ZONE, clock())
        clock.advance(14 * 60)
    assert server.logins == 2
    assert len(server.asked) == 2 + 4  # none was asked with a token that had ended


def test_a_token_ended_by_the_server_is_renewed_once(source: WattTimeSource, server: LoopbackWattTime) -> None:
    source.latest(ZONE, NOON)
    server.revoke()
    assert source.latest(ZONE, NOON).g_per_kwh == pytest.approx(112)
    assert server.logins == 2


def test_a_wrong_password_names_its_settings_and_is_tried_once(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime
) -> None:
    with pytest.raises(SourceRefused, match="check watttime_user and watttime_password") as caught:
        make(password="wrong-pass").latest(ZONE, NOON)
    assert "wrong-pass" not in str(caught.value)
    assert server.paths == ["/login"]


def test_a_login_that_is_down_is_tried_again(make: Callable[..., WattTimeSource], server: LoopbackWattTime) -> None:
    server.faults = "all"
    server.next_answers = [Answer(status=503), Answer(status=429, headers={"Retry-After": "0"})]
    assert make(retrying=Retrying(first_wait_s=0)).latest(ZONE, NOON).g_per_kwh == pytest.approx(112)
    assert server.paths == ["/login", "/login", "/login", "/v3/forecast"]


@pytest.mark.parametrize(
    "body", ['{"token": null}', '{"token": ""}', '{"token": "a\\nb"}', '{"token": "ü"}', "{}", "[]"]
)
def test_a_login_without_a_token_is_bad_data(source: WattTimeSource, server: LoopbackWattTime, body: str) -> None:
    server.faults = "all"
    server.answer = Answer(body)
    with pytest.raises(BadData, match="/login answered without a token"):
        source.latest(ZONE, NOON)


def test_a_login_that_does_not_answer_ends_with_the_time_limit(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime
) -> None:
    server.faults = "all"
    server.answer = Answer(delivery="silent")
    with pytest.raises(SourceDown, match="no whole answer from"):
        make(timeout_s=0.1, retrying=Retrying(attempts=1)).latest(ZONE, NOON)


@pytest.mark.parametrize("table", [MARGINAL_REGIONS, AVERAGE_REGIONS])
def test_the_table_of_regions_holds_known_zones_and_no_region_twice(table: dict[str, tuple[str, ...]]) -> None:
    assert table.keys() <= ZONES
    regions = [region for some in table.values() for region in some]
    assert len(regions) == len(set(regions))


@pytest.mark.parametrize(
    ("signal", "zone", "region"),
    [
        ("co2_moer", "US-MIDA-PJM", "PJM_DC"),
        ("co2_moer", "US-NW-BPAT", "BPA"),
        ("co2_moer", "GB", "UK"),
        ("co2_aoer", "US-TEX-ERCO", "ERCOT"),
    ],
)
def test_a_zone_is_asked_for_by_its_region(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime, signal: Any, zone: str, region: str
) -> None:
    assert make(signal=signal).latest(zone, NOON).zone == zone
    assert server.asked[-1].query["region"] == region


def test_a_region_of_a_zone_may_be_chosen_and_serves_that_zone_alone(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime
) -> None:
    source = make(region="PJM_CHICAGO")
    source.latest("US-MIDA-PJM", NOON)
    assert server.asked[-1].query["region"] == "PJM_CHICAGO"
    with pytest.raises(ZoneError, match=r"'US-MIDA-PJM'.*'DE' was asked for"):
        source.check_zone("DE")


def test_a_region_of_no_known_zone_serves_the_zone_it_is_asked_for(
    make: Callable[..., WattTimeSource], server: LoopbackWattTime
) -> None:
    source = make(region="NEM_NSW")
    assert source.latest("AU-NSW", NOON).zone == "AU-NSW"
    assert server.asked[-1].query["region"] == "NEM_NSW"
    with pytest.raises(ZoneError):
        source.check_zone("AU-NSV")


def test_another_zone_is_told_with_the_nearest(source: WattTimeSource) -> None:
    with pytest.raises(ZoneError, match=r"zone: watttime covers .*US-CAL-CISO.*'US-CAL-CIS' was asked for; .*region"):
        source.check_zone("US-CAL-CIS")


@pytest.mark.parametrize(
    "wrong",
    [{"user": ""}, {"user": "a:b"}, {"signal": "health_damage"}, {"region": ""}, {"region": "A B"}, {"base_url": "x"}],
    ids=str,
)
def test_what_cannot_be_used_is_told_at_construction(wrong: dict[str, Any]) -> None:
    with pytest.raises(SourceSpecError):
        WattTimeSource(**{"user": USER, "password": PASSWORD, **wrong})


META = ["data_point_period_seconds", "region", "signal_type", "units"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["2026-03-02T12:00:00Z", "2026-03-02T12:05Z", "co2_moer", "lbs_co2_per_mwh"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "meta", "point_time", "value", *META]), inner)
    ),
    max_leaves=12,
)
points = values | st.builds(lambda odd: _point(**odd), st.dictionaries(st.sampled_from(["start", "value"]), values))
answers = st.builds(
    lambda some, odd: _document(*some, **odd),
    st.lists(points, max_size=3),
    st.dictionaries(st.sampled_from(META), values, max_size=1),
)


@given(values | answers)
def test_no_document_raises_anything_but_our_errors(document: Any) -> None:
    source = _answering(document)
    for ask in (
        lambda: source.latest(ZONE, NOON),
        lambda: source.history(ZONE, NOON, NOON + HOUR),
        lambda: source.forecast(ZONE, NOON, NOON + HOUR),
    ):
        with contextlib.suppress(GridError):
            ask()
