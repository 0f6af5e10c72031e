"""Everything that can go wrong between a source and its API: a right value or a named error, never a wrong number."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from grid import BadData, Intensity, NoData, Series, Source, SourceDown, SourceError, SourceRefused, ZoneError
from grid.http.retrying import Retrying
from grid.testing import NOON, Answer, Loopback, ManualClock, Point
from grid.testing.loopback import Delivery
from tests.contracts.source_cases.all import CASES
from tests.contracts.source_cases.case import HttpCase

HOUR = timedelta(hours=1)
ONCE = Retrying(attempts=1)
Ask = Callable[[Source, str, datetime], Series]


def truth(when: datetime) -> int:
    """Different in every slot of a day, so that a shifted answer is a wrong one."""
    return 100 + when.hour * 7 + when.minute // 5


def ask_latest(source: Source, zone: str, now: datetime) -> Series:
    return Series([source.latest(zone, now)])


def ask_history(source: Source, zone: str, now: datetime) -> Series:
    return source.history(zone, now - 30 * HOUR, now - 6 * HOUR)


def ask_forecast(source: Source, zone: str, now: datetime) -> Series:
    return source.forecast(zone, now + 2 * HOUR, now + 20 * HOUR)


ASKS: dict[str, Ask] = {"latest": ask_latest, "history": ask_history, "forecast": ask_forecast}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs for every source, and for everything that the source can be asked."""
    needed = {"elsewhere", "other_shape"} & set(metafunc.fixturenames)
    cases = [case for case in CASES if all(getattr(case, name) is not None for name in needed)]
    if "ask" in metafunc.fixturenames:
        pairs = [pytest.param(case, ASKS[can], id=f"{case.name}-{can}") for case in cases for can in sorted(case.can)]
        metafunc.parametrize(("case", "ask"), pairs)
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases, ids=lambda case: case.name)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + timedelta(minutes=10))


@pytest.fixture
def server(case: HttpCase, clock: ManualClock) -> Iterator[Loopback]:
    with case.serve(now_utc=clock, g_per_kwh=truth) as running:
        yield running


@pytest.fixture
def source(case: HttpCase, server: Loopback, clock: ManualClock) -> Iterator[Source]:
    made = case.make(base_url=server.url, now_utc=clock, timeout_s=2, retrying=ONCE)
    yield made
    made.close()


@pytest.fixture
def elsewhere(case: HttpCase) -> str | None:
    return case.elsewhere


@pytest.fixture
def other_shape(case: HttpCase) -> Callable[[object], object] | None:
    return case.other_shape


def assert_right(series: Series, case: HttpCase) -> None:
    for one in series:
        ahead = case.forecast_adds_g_per_kwh if one.status == "forecast" else 0
        assert one.g_per_kwh == pytest.approx(truth(one.start_utc) + ahead, rel=case.relative), one
        assert one.zone == case.zone


def test_the_case_knows_what_its_source_can(case: HttpCase, source: Source) -> None:
    assert source.can == case.can


def test_the_truth_comes_through(case: HttpCase, source: Source, clock: ManualClock, ask: Ask) -> None:
    series = ask(source, case.zone, clock())
    assert_right(series, case)
    for one in series:
        assert (one.source, one.kind, one.factors) == (source.name, source.kind, source.factors)
        assert one.fetched_at_utc == clock()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_change_to_or_from_summer_time_neither_loses_nor_repeats_an_hour(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, day: str
) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    for name, now in (("history", midnight + 40 * HOUR), ("forecast", midnight - 2 * HOUR)):
        if name in source.can:
            clock.now_utc = now
            series = getattr(source, name)(case.zone, midnight, midnight + 6 * HOUR)
            assert_right(series, case)
            assert series.mean_g_per_kwh(midnight, midnight + 6 * HOUR) is not None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(delivery="reset"), SourceDown),
        (Answer("{", delivery="truncated"), SourceDown),
        (Answer(status=400), SourceError),
        (Answer(status=401), SourceRefused),
        (Answer(status=403), SourceRefused),
        (Answer(status=404), NoData),
        (Answer(status=429), SourceDown),
        (Answer(status=429, headers={"Retry-After": "120"}), SourceDown),
        (Answer(status=500), SourceDown),
        (Answer(status=503, headers={"Retry-After": "120"}), SourceDown),
        (Answer("<!doctype html><title>Welcome</title>", headers={"Content-Type": "text/html"}), BadData),
        (Answer(""), BadData),
        (Answer("null"), BadData),
        (Answer("[]"), SourceError),
        (Answer("{}"), SourceError),
        (Answer('"text"'), BadData),
        (Answer("<a/>"), BadData),
    ],
    ids=lambda value: (
        f"{value.delivery}-{value.status}-{dict(value.headers)}-{value.body[:9]}" if isinstance(value, Answer) else ""
    ),
)
def test_a_fault_is_a_named_error_of_one_line(
    case: HttpCase,
    server: Loopback,
    source: Source,
    clock: ManualClock,
    ask: Ask,
    answer: Answer,
    error: type[SourceError],
) -> None:
    server.answer = answer
    with pytest.raises(error, match=rf"^{source.name}: ") as caught:
        ask(source, case.zone, clock())
    assert "\n" not in str(caught.value)
    if answer.headers.get("Retry-After"):
        assert isinstance(caught.value, SourceDown)
        assert caught.value.retry_after_s == pytest.approx(120)


@pytest.mark.parametrize("delivery", ["silent", "drip", "drip-header", "drip-extension", "early-hints", "empty-gzip"])
def test_a_server_that_does_not_finish_is_left_within_the_time_limit(
    case: HttpCase, server: Loopback, clock: ManualClock, ask: Ask, delivery: Delivery
) -> None:
    source = case.make(base_url=server.url, now_utc=clock, timeout_s=0.02, retrying=ONCE)
    server.answer = Answer(delivery=delivery)
    with pytest.raises(SourceDown, match=rf"^{source.name}: no whole answer .* within 0.02 s"):
        ask(source, case.zone, clock())
    source.close()


def test_threads_that_share_a_source_get_each_its_own_answer(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock
) -> None:
    questions = [ASKS[can] for can in sorted(case.can)] * 8
    alone = [ask(source, case.zone, clock()) for ask in questions]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda ask: ask(source, case.zone, clock()), questions))
    assert together == alone
    assert server.connections < len(server.asked)


def test_a_kept_connection_that_the_server_has_closed_is_not_missed(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    before = ask(source, case.zone, clock())
    server.hang_up()
    assert ask(source, case.zone, clock()) == before


def test_a_cut_off_body_is_bad_data(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    ask(source, case.zone, clock())
    whole = server.truth(server.asked[-1]).body
    server.answer = Answer(whole[: len(whole) * 2 // 3])
    with pytest.raises(BadData, match=rf"^{source.name}: "):
        ask(source, case.zone, clock())


def test_the_content_type_is_not_gone_by(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    right = ask(source, case.zone, clock())
    for content_type in ("application/octet-stream", "text/html; charset=utf-16"):
        headers = {"Content-Type": content_type}
        server.rewrite = lambda answer, headers=headers: dataclasses.replace(answer, headers=headers)  # type: ignore[misc]
        assert ask(source, case.zone, clock()) == right


def test_every_shape_of_a_document_says_the_same(
    case: HttpCase,
    server: Loopback,
    source: Source,
    clock: ManualClock,
    ask: Ask,
    other_shape: Callable[[object], object],
) -> None:
    right = ask(source, case.zone, clock())
    server.rewrite = lambda answer: dataclasses.replace(answer, body=json.dumps(other_shape(json.loads(answer.body))))
    assert ask(source, case.zone, clock()) == right


Alter = Callable[[list[Point]], list[Point]]


def inner(points: list[Point]) -> int:
    """A point that is within what was asked for, also where a source asks for more before it."""
    return len(points) * 2 // 3


def with_value(value: object) -> Alter:
    """An inner point says something else."""

    def alter(points: list[Point]) -> list[Point]:
        return [dataclasses.replace(p, value=value) if n == inner(points) else p for n, p in enumerate(points)]

    return alter


def without_one(points: list[Point]) -> list[Point]:
    return points[: inner(points)] + points[inner(points) + 1 :]


def contradicting(points: list[Point]) -> list[Point]:
    return [*points, dataclasses.replace(points[inner(points)], value=3)] if points else points


NONSENSE = [float("nan"), float("inf"), -500, 10**9, 10**400, "n/a", "", True, [], {}]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:8])
def test_nonsense_in_one_slot_is_never_a_number(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask, value: object
) -> None:
    server.alter = with_value(value)
    try:
        series = ask(source, case.zone, clock())
    except SourceError as exc:
        said = str(exc)
    else:
        said = f"{source.name}: "
        assert_right(series, case)
    assert said.startswith(f"{source.name}: ")
    assert len(said) < 400


@pytest.mark.parametrize("value", [*NONSENSE, None], ids=lambda value: repr(value)[:8])
def test_nonsense_in_the_slot_of_now_is_an_error_or_the_slot_before(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, value: object
) -> None:
    start_utc = source.latest(case.zone, clock()).start_utc
    server.alter = lambda points: [
        dataclasses.replace(p, value=value) if p.start_utc == start_utc else p for p in points
    ]
    try:
        reading = source.latest(case.zone, clock())
    except SourceError as exc:
        said = str(exc)
    else:
        said = f"{source.name}: "
        assert reading.start_utc < start_utc
        assert_right(Series([reading]), case)
    assert said.startswith(f"{source.name}: ")


def test_null_is_a_gap(case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask) -> None:
    whole = ask(source, case.zone, clock())
    server.alter = with_value(None)
    try:
        series = ask(source, case.zone, clock())
    except (NoData, BadData):
        assert len(whole) == 1 or ask is ask_latest
    else:
        assert_right(series, case)


def test_text_is_a_number_only_where_the_api_writes_numbers_so(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    server.alter = lambda points: [
        dataclasses.replace(p, value=str(p.value) if isinstance(p.value, int | float) else p.value) for p in points
    ]
    if case.accepts_numeric_text:
        assert_right(ask(source, case.zone, clock()), case)
    else:
        with pytest.raises(BadData, match=rf"^{source.name}: "):
            ask(source, case.zone, clock())


def test_a_missing_slot_stays_missing(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    whole = ask(source, case.zone, clock())
    server.alter = without_one
    try:
        series = ask(source, case.zone, clock())
    except (NoData, BadData):
        assert len(whole) == 1
    else:
        assert_right(series, case)


@pytest.mark.parametrize(
    "alter",
    [lambda points: [*points, *points], lambda points: points[::-1]],
    ids=["every slot twice", "in reverse order"],
)
def test_order_and_repetition_change_nothing(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask, alter: Alter
) -> None:
    whole = ask(source, case.zone, clock())
    server.alter = alter
    assert ask(source, case.zone, clock()) == whole


def test_two_figures_for_one_slot_are_bad_data(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    server.alter = contradicting
    with pytest.raises(BadData, match=rf"^{source.name}: "):
        ask(source, case.zone, clock())


def test_slots_outside_what_was_asked_are_left_out(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask
) -> None:
    right = ask(source, case.zone, clock())
    server.alter = lambda points: [
        *(dataclasses.replace(p, start_utc=p.start_utc - 2 * HOUR, value=0) for p in points[:1]),
        *points,
        *(dataclasses.replace(p, start_utc=p.start_utc + 2 * HOUR, value=0) for p in points[-1:]),
    ]
    assert ask(source, case.zone, clock()) == right


def test_an_answer_about_another_zone_is_bad_data(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask, elsewhere: str
) -> None:
    server.alter = lambda points: [dataclasses.replace(p, zone=elsewhere) for p in points]
    with pytest.raises(BadData, match=rf"^{source.name}: "):
        ask(source, case.zone, clock())


def test_nothing_asks_the_network_for_a_zone_it_does_not_cover(
    case: HttpCase, server: Loopback, source: Source
) -> None:
    for call in (
        lambda: source.check_zone("XX"),
        lambda: source.latest("XX", NOON),
        lambda: source.history("XX", NOON - HOUR, NOON),
    ):
        with pytest.raises((ZoneError, SourceError)):
            call()
    assert not server.asked


def test_a_key_is_seen_nowhere(
    case: HttpCase, server: Loopback, source: Source, clock: ManualClock, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ask(source, case.zone, clock())
    said = [repr(source), str(source), *(repr(value) for value in vars(source).values())]
    for status in (200, 400, 401, 403, 404, 429, 500):
        echo = " ".join(case.secrets)
        server.answer = Answer(f'{{"error": "{echo}", "message": "{echo}"}}', status=status)
        try:
            ask(source, case.zone, clock())
        except SourceError as exc:
            said += [str(exc), repr(exc), str(exc.__cause__), repr(exc.__context__)]
    text = "\n".join([*said, *(record.getMessage() for record in caplog.records)])
    assert not [secret for secret in case.secrets if secret in text]


def test_its_readings_are_of_one_slot_length(case: HttpCase, source: Source, clock: ManualClock, ask: Ask) -> None:
    def length(one: Intensity) -> float:
        return (one.end_utc - one.start_utc).total_seconds()

    assert {length(one) for one in ask(source, case.zone, clock())} == {source.slot_s}
