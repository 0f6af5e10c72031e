"""Everything that can be wrong with an answer, and which of our errors it becomes."""

from __future__ import annotations

import contextlib
import gzip
import inspect
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, NoData, SourceDown, SourceError, SourceRefused, UKSource
from grid.http.retry_after import retry_after_s
from grid.http.retrying import Retrying
from grid.testing import NOON, Answer, LoopbackUK, ManualClock

AT_ONCE = Retrying(first_wait_s=0)


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackUK]:
    with LoopbackUK(now_utc=ManualClock()) as running:
        yield running


@pytest.fixture
def source(server: LoopbackUK) -> Iterator[UKSource]:
    server.answer = None
    made = UKSource(base_url=server.url, now_utc=ManualClock(), timeout_s=2, retrying=AT_ONCE)
    yield made
    made.close()


def _slot(start: Any = "2026-03-02T12:00Z", end: Any = "2026-03-02T12:30Z", **intensity: Any) -> dict[str, Any]:
    return {"from": start, "to": end, "intensity": {"forecast": 200, "actual": 190, **intensity}}


def _without(*path: str) -> dict[str, Any]:
    slot: Any = _slot()
    inner = slot
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return slot  # type: ignore[no-any-return]


def _data(*slots: Any) -> str:
    return json.dumps({"data": list(slots)})


BAD_DOCUMENTS = {
    "html": "<!doctype html><title>502</title>",
    "empty": "",
    "half a document": '{"data": [{"from": "2026',
    "deeply nested": "[" * 100_000,
    "null": "null",
    "a list": "[]",
    "no data": "{}",
    "data null": '{"data": null}',
    "data text": '{"data": "none"}',
    "slot null": _data(None),
    "slot text": _data("266"),
    "no from": _data(_without("from")),
    "no to": _data(_without("to")),
    "no intensity": _data(_without("intensity")),
    "no actual": _data(_without("intensity", "actual")),
    "no forecast": _data(_without("intensity", "forecast")),
    "intensity null": _data({**_slot(), "intensity": None}),
    "intensity number": _data({**_slot(), "intensity": 190}),
    "nan": _data(_slot(actual=float("nan"))),
    "infinite": _data(_slot(actual=float("inf"))),
    "negative": _data(_slot(actual=-1)),
    "too large": _data(_slot(actual=190_000)),
    "larger than a float": _data(_slot(actual=10**400)),
    "text": _data(_slot(actual="190")),
    "true": _data(_slot(actual=True)),
    "a list for a figure": _data(_slot(actual=[190])),
    "from null": _data(_slot(start=None)),
    "from number": _data(_slot(start=1772452800)),
    "from garbage": _data(_slot(start="noon")),
    "no offset": _data(_slot(start="2026-03-02T12:00", end="2026-03-02T12:30")),
    "one offset missing": _data(_slot(start="2026-03-02T12:00")),
    "not utc": _data(_slot(start="2026-03-02T13:00+01:00", end="2026-03-02T13:30+01:00")),
    "ends before it starts": _data(_slot(end="2026-03-02T11:30Z")),
    "lasts three years": _data(_slot(end="2029-03-02T12:30Z")),
    "from the future": _data(_slot(start="2026-03-02T13:00Z", end="2026-03-02T13:30Z")),
    "wildly old": _data(_slot(start="2018-01-20T12:00Z", end="2018-01-20T12:30Z")),
    "too long": " " * 20_000_001 + _data(_slot()),
}


@pytest.mark.parametrize("document", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
def test_a_document_without_an_intensity_is_bad_data(source: UKSource, server: LoopbackUK, document: str) -> None:
    server.answer = Answer(document)
    with pytest.raises(BadData, match=r"^uk: ") as caught:
        source.latest("GB", NOON)
    assert len(str(caught.value)) < 300
    server.answer = None
    assert source.latest("GB", NOON).g_per_kwh == 210


@pytest.mark.parametrize("document", [_data(), _data(_slot(actual=None, forecast=None))], ids=["no slot", "both null"])
def test_an_answer_that_knows_nothing_is_no_data(source: UKSource, server: LoopbackUK, document: str) -> None:
    server.answer = Answer(document)
    with pytest.raises(NoData, match=r"^uk: the current half hour of GB has neither"):
        source.latest("GB", NOON)


def test_a_slot_that_has_just_begun_is_a_clock_that_differs_and_is_let_through(
    source: UKSource, server: LoopbackUK
) -> None:
    half_past = NOON + timedelta(minutes=30)
    server.answer = Answer(_data(_slot(start="2026-03-02T12:30Z", end="2026-03-02T13:00Z")))
    assert source.latest("GB", half_past - timedelta(minutes=2)).start_utc == half_past
    with pytest.raises(BadData, match=r"^uk: the current half hour begins .* in the future"):
        source.latest("GB", half_past - timedelta(minutes=3))


@pytest.mark.parametrize("minutes", [10, 29])
def test_the_current_half_hour_is_the_one_that_runs_and_not_the_next(
    source: UKSource, server: LoopbackUK, minutes: int
) -> None:
    server.answer = Answer(_data(_slot(), _slot(start="2026-03-02T12:30Z", end="2026-03-02T13:00Z", actual=999)))
    assert source.latest("GB", NOON + timedelta(minutes=minutes)).g_per_kwh == 190


def test_answers_of_one_slot_are_not_followed_up_for_ever(source: UKSource, server: LoopbackUK) -> None:
    server.asked.clear()
    server.alter = lambda points: points[1:2]
    forecast = source.forecast("GB", NOON, NOON + timedelta(days=4))
    server.alter = lambda points: points
    assert len(forecast) == len(server.asked) == 4


def test_one_object_in_place_of_a_list_is_understood(source: UKSource, server: LoopbackUK) -> None:
    server.answer = Answer(json.dumps({"data": _slot()}))
    assert source.latest("GB", NOON).g_per_kwh == 190


@pytest.mark.parametrize(
    "document",
    [_data(_slot(), _slot(actual="190")), _data(_slot(), _slot("2026-03-02T12:15Z", "2026-03-02T12:45Z"))],
    ids=["one bad figure", "overlap"],
)
def test_one_bad_slot_spoils_a_range(source: UKSource, server: LoopbackUK, document: str) -> None:
    server.answer = Answer(document)
    with pytest.raises(BadData):
        source.history("GB", NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SourceRefused),
        (403, SourceRefused),
        (408, SourceDown),
        (429, SourceDown),
        (500, SourceDown),
        (502, SourceDown),
        (503, SourceDown),
        (504, SourceDown),
        (204, SourceError),
        (301, SourceError),
        (400, SourceError),
        (404, NoData),
        (410, SourceError),
    ],
)
def test_each_status_becomes_one_error(
    source: UKSource, server: LoopbackUK, status: int, error: type[SourceError]
) -> None:
    server.answer = Answer(_data(_slot()), status=status)
    with pytest.raises(SourceError, match=f"/intensity answered {status}") as caught:
        source.latest("GB", NOON)
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "Mon, 02 Mar 2026 12:02:00 GMT"}, 120),
        ({"Retry-After": "Mon, 02 Mar 2026 12:02:00 -0000"}, 120),
        ({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, 1e9),
    ],
)
def test_retry_after_is_passed_on(
    source: UKSource, server: LoopbackUK, status: int, header: dict[str, str], seconds: float | None
) -> None:
    server.answer = Answer(status=status, headers=header)
    with pytest.raises(SourceDown) as caught:
        source.latest("GB", NOON)
    assert caught.value.retry_after_s == seconds


@given(st.text() | st.from_regex(r"[A-Za-z]{3}, [0-9]{1,9} [A-Za-z]{3} [0-9]{1,9} [0-9:]{1,9} [A-Z0-9+-]{1,9}"))
def test_no_retry_after_header_is_an_error(header: str) -> None:
    seconds = retry_after_s(header, ManualClock())
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize("delivery", ["silent", "drip", "truncated"])
def test_a_server_that_does_not_finish_is_down(server: LoopbackUK, delivery: Any) -> None:
    server.answer = Answer(_data(_slot()), delivery=delivery)
    source = UKSource(base_url=server.url, timeout_s=0.2, retrying=AT_ONCE)
    with pytest.raises(SourceDown, match=r"^uk: "):
        source.latest("GB", NOON)
    source.close()


def test_a_server_that_is_not_there_is_down() -> None:
    with socket.socket() as reserved:  # bound but not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        source = UKSource(base_url=f"http://127.0.0.1:{reserved.getsockname()[1]}")
        with pytest.raises(SourceDown, match=r"no answer from 127\.0\.0\.1 .*refused"):
            source.latest("GB", NOON)
        source.close()


def test_broken_compression_is_bad_data(source: UKSource, server: LoopbackUK) -> None:
    server.answer = Answer("not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadData, match="compression"):
        source.latest("GB", NOON)


def test_a_small_answer_that_unpacks_to_a_large_one_is_bad_data() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(bomb))
    )
    with pytest.raises(BadData, match="more than 20000000 bytes"):
        UKSource(transport=transport).latest("GB", NOON)


def _httpx_errors() -> list[type[Exception]]:
    return [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", _httpx_errors(), ids=lambda kind: kind.__name__)
def test_no_error_of_httpx_leaks(kind: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        known = {"message": "http://host/?key=SECRET", "request": request, "response": httpx.Response(500)}
        raise kind(**{name: known[name] for name in inspect.signature(kind).parameters if name in known})

    source = UKSource(transport=httpx.MockTransport(fail))
    with pytest.raises(SourceError, match=r"^uk: ") as caught:
        source.latest("GB", NOON)
    assert isinstance(caught.value.__cause__, kind)
    down = (httpx.TimeoutException, httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError)
    assert isinstance(caught.value, SourceDown) == issubclass(kind, down)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["2026-03-02T12:00Z", "2026-03-02T12:30Z", 13]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "from", "to", "intensity", "actual", "forecast", "regions", "regionid"]), inner
        )
    ),
    max_leaves=12,
)


@given(
    json_values | st.builds(lambda slots: {"data": slots}, st.lists(json_values, max_size=3)),
    st.sampled_from(["GB", "GB-LONDON", "GB-SW1A"]),
)
def test_no_document_raises_anything_but_our_errors(document: Any, zone: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(document).encode()))
    source = UKSource(transport=transport, now_utc=ManualClock())
    for ask in (
        lambda: source.latest(zone, NOON),
        lambda: source.history(zone, NOON, NOON + timedelta(hours=1)),
        lambda: source.forecast(zone, NOON, NOON + timedelta(hours=1)),
    ):
        with contextlib.suppress(GridError):
            ask()
