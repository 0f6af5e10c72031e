"""What every source owes its callers, run over every source there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest

from grid import Intensity, Series, Source, SourceError, StaticSource, TraceSource, YearlySource, ZoneError
from grid.http.retrying import Retrying
from grid.live.fallback import FallbackSource
from grid.testing import NOON, ManualClock, ScriptedSource, reading
from tests.contracts.source_cases.all import CASES
from tests.contracts.source_cases.case import HttpCase

ZONE = "GB"
DAY = timedelta(days=1)


@contextmanager
def _static() -> Iterator[Source]:
    yield StaticSource(250)


@contextmanager
def _trace() -> Iterator[Source]:
    slots = range(-100, 100)
    yield TraceSource(Series(reading(200 + n, start_utc=NOON + n * timedelta(minutes=30)) for n in slots))


@contextmanager
def _yearly() -> Iterator[Source]:
    yield YearlySource()


@contextmanager
def _scripted() -> Iterator[Source]:
    yield ScriptedSource(180.0)


@contextmanager
def _chain() -> Iterator[Source]:
    with _trace() as trace:
        yield FallbackSource([trace])


@contextmanager
def _over_http(case: HttpCase) -> Iterator[Source]:
    clock = ManualClock()
    with case.serve(now_utc=clock, g_per_kwh=lambda _: 200) as server:
        source = case.make(base_url=server.url, now_utc=clock, timeout_s=10, retrying=Retrying())
        yield source
        source.close()


LOCAL = [
    pytest.param((make, ZONE), id=make.__name__.strip("_")) for make in (_static, _yearly, _trace, _scripted, _chain)
]
HTTP = [pytest.param((partial(_over_http, case), case.zone), id=case.name) for case in CASES]


@pytest.fixture(params=[*LOCAL, *HTTP])
def made(request: pytest.FixtureRequest) -> Iterator[tuple[Source, str]]:
    make, zone = request.param
    with make() as source:
        yield source, zone


@pytest.fixture
def source(made: tuple[Source, str]) -> Source:
    return made[0]


@pytest.fixture
def covered(made: tuple[Source, str]) -> str:
    return made[1]


def test_it_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.name
    assert source.slot_s > 0
    assert "latest" in source.can <= {"latest", "forecast", "history"}


def test_it_covers_its_zone_and_says_so_from_memory(source: Source, covered: str) -> None:
    source.close()
    source.check_zone(covered)


@pytest.mark.parametrize("zone", ["GBB", "XX", "", "gb"])
def test_another_zone_is_an_error_that_names_it(source: Source, zone: str) -> None:
    with pytest.raises(ZoneError, match=rf"zone: .*{zone!r}"):
        source.check_zone(zone)
    with pytest.raises(ZoneError):
        source.latest(zone, NOON)


@pytest.mark.parametrize("minutes", [0, 7, 30, 59])
def test_latest_is_for_now_or_the_newest_before(source: Source, covered: str, minutes: int) -> None:
    now_utc = NOON + timedelta(minutes=minutes)
    latest = source.latest(covered, now_utc)
    assert latest.start_utc <= now_utc
    assert now_utc - latest.end_utc < timedelta(hours=1)
    _assert_labelled(latest, source, covered)


@pytest.mark.parametrize(("capability", "offset"), [("forecast", timedelta(hours=1)), ("history", -DAY - DAY / 2)])
def test_a_range_covers_what_was_asked(source: Source, covered: str, capability: str, offset: timedelta) -> None:
    start_utc, end_utc = NOON + offset + timedelta(minutes=10), NOON + offset + DAY
    ask = getattr(source, capability)
    if capability not in source.can:
        with pytest.raises(SourceError):
            ask(covered, start_utc, end_utc)
        return
    series = ask(covered, start_utc, end_utc)
    assert series[0].start_utc <= start_utc < series[0].end_utc
    assert series[-1].start_utc < end_utc <= series[-1].end_utc
    assert sum((r.end_utc - r.start_utc for r in series), timedelta(0)) == series[-1].end_utc - series[0].start_utc
    for one in series:
        _assert_labelled(one, source, covered)


def test_closing_twice_is_safe(source: Source, covered: str) -> None:
    source.latest(covered, NOON)
    source.close()
    source.close()


def _assert_labelled(one: Intensity, source: Source, zone: str) -> None:
    assert one.zone == zone
    # A table of facts says after its name which of them this is: `yearly:ember-2024`.
    assert one.source == source.name or (one.status == "static" and one.source.startswith(f"{source.name}:"))
    assert (one.end_utc - one.start_utc).total_seconds() == source.slot_s
