"""The UK source against documents in the API's shape and against the API's traps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from grid import NoData, SourceError, SourceSpecError, UKSource
from grid.testing import NOON, LoopbackUK, ManualClock

FIXTURES = Path(__file__).parents[3] / "fixtures" / "grid"
HALF_HOUR, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)


def _answering(fixture: str, status: int = 200) -> UKSource:
    body = (FIXTURES / fixture).read_bytes()
    return UKSource(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body)), now_utc=ManualClock()
    )


def test_latest_is_the_measured_figure_with_its_provenance() -> None:
    latest = _answering("uk_intensity.json").latest("GB", NOON)
    assert (latest.g_per_kwh, latest.status) == (101, "actual")
    assert (latest.start_utc, latest.end_utc, latest.fetched_at_utc) == (NOON, NOON + HALF_HOUR, NOON)
    assert (latest.zone, latest.kind, latest.factors, latest.source) == ("GB", "average", "direct", "uk")


def test_latest_is_the_forecast_while_nothing_is_measured() -> None:
    latest = _answering("uk_intensity_no_actual.json").latest("GB", NOON)
    assert (latest.g_per_kwh, latest.status) == (111, "forecast")


def test_history_prefers_what_was_measured_and_leaves_gaps() -> None:
    history = _answering("uk_range.json").history("GB", NOON, NOON + 2 * HOUR)
    assert [(r.start_utc - NOON, r.g_per_kwh, r.status) for r in history] == [
        (0 * HOUR, 202, "actual"),
        (1 * HOUR, 214, "forecast"),
    ]


def test_a_forecast_holds_forecast_figures_only() -> None:
    forecast = _answering("uk_range.json").forecast("GB", NOON, NOON + HALF_HOUR)
    assert [(r.g_per_kwh, r.status) for r in forecast] == [(212, "forecast")]


def test_an_error_document_is_an_error_of_the_request() -> None:
    with pytest.raises(SourceError, match="/intensity answered 400 Bad Request"):
        _answering("uk_error.json", 400).latest("GB", NOON)


def test_nothing_in_the_range_is_no_answer() -> None:
    with pytest.raises(NoData, match="no figure from"):
        _answering("uk_range.json").history("GB", NOON + HALF_HOUR, NOON + HOUR)


def test_a_slot_that_begins_before_the_asked_start_is_cut(source: UKSource, server: LoopbackUK) -> None:
    forecast = source.forecast("GB", NOON, NOON + HOUR)
    assert [r.start_utc for r in forecast] == [NOON, NOON + HALF_HOUR]
    assert server.paths == ["/intensity/2026-03-02T12:00Z/fw48h"]


def test_a_forecast_beyond_48_h_is_chained(source: UKSource, server: LoopbackUK) -> None:
    forecast = source.forecast("GB", NOON, NOON + 3 * DAY)
    assert len(forecast) == 3 * 48
    assert server.paths == ["/intensity/2026-03-02T12:00Z/fw48h", "/intensity/2026-03-04T12:00Z/fw48h"]


def test_a_forecast_ends_where_the_api_knows_no_more(source: UKSource, server: LoopbackUK, clock: ManualClock) -> None:
    forecast = source.forecast("GB", NOON, NOON + 30 * DAY)
    assert forecast[-1].end_utc - clock() < 96 * HOUR + HALF_HOUR
    server.asked.clear()
    with pytest.raises(NoData, match="no figure from"):
        source.forecast("GB", NOON + 20 * DAY, NOON + 30 * DAY)
    assert not server.asked


def test_a_long_history_is_asked_for_in_pieces_that_the_api_takes(source: UKSource, server: LoopbackUK) -> None:
    history = source.history("GB", NOON - 40 * DAY, NOON)
    assert len(history) == 40 * 48
    assert {r.status for r in history} == {"actual"}
    assert [r.g_per_kwh for r in history] == [100 + r.start_utc.hour for r in history]
    assert len(server.paths) == 4


def test_a_closed_source_says_so(source: UKSource) -> None:
    source.close()
    with pytest.raises(SourceError, match="uk: closed"):
        source.latest("GB", NOON)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "ftp://127.0.0.1",
        "127.0.0.1:8123",
        "http://",
        "http://a:b",
        "http://h?key=SECRET",
        "http://me:SECRET@h",
        "http://h/#SECRET",
    ],
)
def test_a_base_url_that_cannot_be_used_is_told_at_construction_without_secrets(base_url: str) -> None:
    with pytest.raises(SourceSpecError, match="uk: the base URL") as caught:
        UKSource(base_url=base_url)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_a_timeout_that_cannot_be_used_is_told_at_construction(timeout_s: float) -> None:
    with pytest.raises(SourceSpecError, match="timeout_s"):
        UKSource(timeout_s=timeout_s)


def test_a_base_url_may_hold_a_path() -> None:
    asked = []
    body = (FIXTURES / "uk_intensity.json").read_bytes()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=body)

    UKSource(base_url="http://proxy/uk/", transport=httpx.MockTransport(answer)).latest("GB", NOON)
    assert asked == ["http://proxy/uk/intensity"]
