"""What every source owes its callers, run over every source there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from grid import Intensity, Series, Source, SourceError, StaticSource, TraceSource, UKNationalSource, ZoneError
from grid.testing import NOON, LoopbackUK, ManualClock, ScriptedSource, reading

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
def _uk() -> Iterator[Source]:
    clock = ManualClock()
    with LoopbackUK(now_utc=clock) as server:
        source = UKNationalSource(base_url=server.url, now_utc=clock)
        yield source
        source.close()


@contextmanager
def _scripted() -> Iterator[Source]:
    yield ScriptedSource(180.0)


@pytest.fixture(params=[_static, _trace, _uk, _scripted], ids=["static", "trace", "uk", "scripted"])
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    make: Callable[[], AbstractContextManager[Source]] = request.param
    with make() as made:
        yield made


def test_it_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.name
    assert source.slot_s > 0
    assert "latest" in source.can <= {"latest", "forecast", "history"}


def test_it_covers_its_zone_and_says_so_from_memory(source: Source) -> None:
    source.close()
    source.check_zone(ZONE)


@pytest.mark.parametrize("zone", ["GBB", "XX", "", "gb"])
def test_another_zone_is_an_error_that_names_it(source: Source, zone: str) -> None:
    with pytest.raises(ZoneError, match=rf"zone: .*{zone!r}"):
        source.check_zone(zone)
    with pytest.raises(ZoneError):
        source.latest(zone, NOON)


@pytest.mark.parametrize("minutes", [0, 7, 30, 59])
def test_latest_is_for_now_or_the_newest_before(source: Source, minutes: int) -> None:
    now_utc = NOON + timedelta(minutes=minutes)
    latest = source.latest(ZONE, now_utc)
    assert latest.start_utc <= now_utc
    assert now_utc - latest.end_utc < timedelta(hours=1)
    _assert_labelled(latest, source)


@pytest.mark.parametrize(("capability", "offset"), [("forecast", timedelta(hours=1)), ("history", -DAY - DAY / 2)])
def test_a_range_covers_what_was_asked(source: Source, capability: str, offset: timedelta) -> None:
    start_utc, end_utc = NOON + offset + timedelta(minutes=10), NOON + offset + DAY
    ask = getattr(source, capability)
    if capability not in source.can:
        with pytest.raises(SourceError):
            ask(ZONE, start_utc, end_utc)
        return
    series = ask(ZONE, start_utc, end_utc)
    assert series[0].start_utc <= start_utc < series[0].end_utc
    assert series[-1].start_utc < end_utc <= series[-1].end_utc
    assert sum((r.end_utc - r.start_utc for r in series), timedelta(0)) == series[-1].end_utc - series[0].start_utc
    for one in series:
        _assert_labelled(one, source)


def test_closing_twice_is_safe(source: Source) -> None:
    source.latest(ZONE, NOON)
    source.close()
    source.close()


def _assert_labelled(one: Intensity, source: Source) -> None:
    assert (one.zone, one.source) == (ZONE, source.name)
    assert (one.end_utc - one.start_utc).total_seconds() == source.slot_s
