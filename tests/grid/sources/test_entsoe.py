from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from grid import BadData, NoData, SourceDown, SourceError, SourceRefused, ZoneError
from grid.http.retrying import Retrying
from grid.sources.entsoe import EntsoeSource
from grid.sources.entsoe_zones import EIC_BY_ZONE, SAME_AREA
from grid.testing import NOON, Answer, ManualClock
from grid.testing.entsoe import LoopbackEntsoe
from grid.zones import ZONES

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
GERMANY = EIC_BY_ZONE["DE"][0]


@pytest.fixture
def server() -> Iterator[LoopbackEntsoe]:
    with LoopbackEntsoe(now_utc=ManualClock(), g_per_kwh=lambda when: 100 + when.hour) as running:
        yield running


@pytest.fixture
def source(server: LoopbackEntsoe) -> Iterator[EntsoeSource]:
    made = EntsoeSource("token", base_url=server.url, now_utc=ManualClock(), retrying=Retrying(attempts=1))
    yield made
    made.close()


def document(*all_series: str) -> str:
    return f"<GL_MarketDocument>{''.join(all_series)}</GL_MarketDocument>"


def series(
    psr_type: str, *mw: float, step: timedelta = QUARTER, start: datetime = NOON - HOUR, area: str = GERMANY
) -> str:
    """Figures one after the other from an hour before noon."""
    end = start + len(mw) * step
    points = "".join(f"<Point><position>{n}</position><quantity>{q}</quantity></Point>" for n, q in enumerate(mw, 1))
    return (
        f"<TimeSeries><inBiddingZone_Domain.mRID>{area}</inBiddingZone_Domain.mRID><curveType>A01</curveType>"
        f"<MktPSRType><psrType>{psr_type}</psrType></MktPSRType><Period><timeInterval>"
        f"<start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>PT{step // timedelta(minutes=1)}M</resolution>{points}</Period></TimeSeries>"
    )


def latest(*all_series: str) -> float:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=document(*all_series)))
    return EntsoeSource("token", transport=transport, now_utc=ManualClock()).latest("DE", NOON).g_per_kwh


def test_the_newest_hour_is_that_of_the_mix(source: EntsoeSource) -> None:
    reading = source.latest("DE", NOON)
    assert (reading.start_utc, reading.end_utc) == (NOON - HOUR, NOON)
    assert reading.g_per_kwh == pytest.approx(111)
    assert (reading.zone, reading.status, reading.factors) == ("DE", "actual", "lifecycle")


def test_direct_factors_are_another_figure(server: LoopbackEntsoe) -> None:
    source = EntsoeSource("token", factors="direct", base_url=server.url, now_utc=ManualClock())
    reading = source.latest("DE", NOON)
    assert reading.factors == source.factors == "direct"
    assert reading.g_per_kwh == pytest.approx((111 - 11) / (820 - 11) * 760)
    source.close()


def test_the_question_is_the_documented_one(server: LoopbackEntsoe, source: EntsoeSource) -> None:
    source.history("NO-NO1", NOON - 24 * HOUR, NOON)
    asked, *before = server.asked
    assert asked.path == "/api"
    assert (before[0].query["periodStart"], before[-1].query["periodEnd"]) == ("202602150000", "202603010000")
    assert asked.query == {
        "documentType": "A75",
        "processType": "A16",
        "in_Domain": "10YNO-1--------2",
        "periodStart": "202603010000",
        "periodEnd": "202603021200",
        "securityToken": "token",
    }


def test_quarters_are_averaged_and_stand_beside_hours() -> None:
    coal, wind = series("B05", 100, 200, 300, 400), series("B19", 750, step=HOUR)
    assert latest(coal, wind) == pytest.approx((250 * 820 + 750 * 11) / 1000)


@pytest.mark.parametrize("parts", [[0, 1, 2], [0, 3], [1]])
def test_an_hour_with_a_quarter_missing_is_unknown(parts: list[int]) -> None:
    before = [
        series("B05", 100, step=HOUR, start=NOON - 2 * HOUR),
        series("B19", 0, 0, step=HOUR, start=NOON - 2 * HOUR),
    ]
    quarters = [series("B05", 900, start=NOON - HOUR + part * QUARTER) for part in parts]
    assert latest(*before, *quarters) == pytest.approx(820)
    with pytest.raises(NoData, match="no hour of the last 24"):
        latest(series("B19", 500, step=HOUR), *quarters)


def test_a_fuel_in_several_series_is_put_together() -> None:
    halves = series("B05", 100, 100), series("B05", 300, 300, start=NOON - HOUR / 2)
    assert latest(*halves, series("B19", 200, step=HOUR)) == pytest.approx((820 + 11) / 2)


@pytest.mark.parametrize("storage", ["B10", "B25"])
def test_storage_is_no_generation(storage: str) -> None:
    assert latest(series("B05", 100, step=HOUR), series(storage, 5000, step=HOUR)) == pytest.approx(820)


@pytest.mark.parametrize(
    "all_series",
    [
        [series("B99", 1, step=HOUR)],
        [series("B05", 100, 100, 100, 100), series("B05", 100, 100, 100, 101)],
        [series("B05", 100, 100, 100, 100), series("B05", 100, step=HOUR)],
        [series("B05", 100, step=HOUR, start=NOON - 2.5 * HOUR)],
        [series("B05", 100, step=HOUR, area="10YFR-RTE------C")],
        [series("B05", 2e6, step=HOUR)],
    ],
    ids=["unknown plants", "two figures", "quarters and an hour", "not a whole hour", "other area", "too much"],
)
def test_an_answer_out_of_order_is_bad_data(all_series: list[str]) -> None:
    with pytest.raises(BadData, match=r"^entsoe: "):
        latest(*all_series)


def test_germany_may_be_answered_as_its_bidding_zone() -> None:
    assert latest(series("B05", 100, step=HOUR, area="10Y1001A1001A82H")) == pytest.approx(820)


def test_a_zone_of_two_areas_needs_both_and_adds_them_up() -> None:
    south, calabria = EIC_BY_ZONE["IT-SO"]
    answers = {
        south: document(series("B04", 300, step=HOUR, area=south)),
        calabria: document(series("B19", 100, step=HOUR, area=calabria)),
    }
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=answers[request.url.params["in_Domain"]]))
    source = EntsoeSource("token", transport=transport, now_utc=ManualClock())
    assert source.latest("IT-SO", NOON).g_per_kwh == pytest.approx((3 * 490 + 11) / 4)
    answers[calabria] = refused("No matching data found", 200).body
    with pytest.raises(NoData):
        source.latest("IT-SO", NOON)


def refused(text: str, status: int) -> Answer:
    reason = f"<Reason><code>999</code><text>{text}</text></Reason>"
    return Answer(f"<Acknowledgement_MarketDocument>{reason}</Acknowledgement_MarketDocument>", status=status)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refused("No matching data found for Data item", 200), NoData, "no generation"),
        (refused("No matching data found", 400), NoData, "no generation"),
        (refused("The requested period exceeds one year", 200), SourceError, "exceeds one year"),
        (refused("Invalid in_Domain, token is tok", 400), SourceError, "Invalid in_Domain"),
        (refused("No matching data found", 401), SourceRefused, "check the key"),
        (refused("Too many requests", 429), SourceDown, "429"),
        (refused("No matching data found", 503), SourceDown, "503"),
    ],
)
def test_an_acknowledgement_is_what_it_says(
    server: LoopbackEntsoe, source: EntsoeSource, answer: Answer, error: type[SourceError], words: str
) -> None:
    server.answer = answer
    with pytest.raises(SourceError, match=rf"^entsoe: .*{words}") as caught:
        source.latest("DE", NOON)
    assert type(caught.value) is error


def test_the_platforms_own_words_do_not_show_the_token(server: LoopbackEntsoe, source: EntsoeSource) -> None:
    server.answer = refused("bad token, sent by you", 400)
    with pytest.raises(SourceError, match="bad \\*\\*\\*, sent by you"):
        source.latest("DE", NOON)


def test_every_zone_exists_and_every_code_is_an_eic() -> None:
    assert set(EIC_BY_ZONE) <= ZONES
    codes = [code for codes in EIC_BY_ZONE.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert all(_check_character(code) == code[-1] for code in [*codes, *SAME_AREA])


@pytest.mark.parametrize("zone", ["GB", "DE-LU", "NO-NO9", "US-CAL-CISO", "10YFR-RTE------C"])
def test_other_zones_are_refused_with_the_nearest(zone: str) -> None:
    with pytest.raises(ZoneError, match=r"zone: entsoe covers 55 European zones such as "):
        EntsoeSource("token").check_zone(zone)


def test_it_has_no_forecast(source: EntsoeSource) -> None:
    assert "forecast" not in source.can
    with pytest.raises(SourceError, match="no forecast"):
        source.forecast("DE", NOON, NOON + HOUR)


def _check_character(code: str) -> str:
    """The last character of an energy identification code, from those before it (ENTSO-E, EIC reference manual)."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    weighted = sum(alphabet.index(character) * (16 - n) for n, character in enumerate(code[:15]))
    return alphabet[36 - (weighted - 1) % 37]
