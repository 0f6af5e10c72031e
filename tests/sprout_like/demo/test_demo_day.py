"""The last 24 hours where the live source tells them in time, else a day that is plainly labelled as modelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from grid import Series, SourceDown
from grid.testing import Answer, LoopbackUK, ScriptedSource
from sprout_like.demo.day import Day, load_day

NOW = datetime(2026, 3, 2, 15, 10, tzinfo=UTC)
PATIENT_S = 30.0


@pytest.fixture
def server() -> Iterator[LoopbackUK]:
    """The UK source, whose intensity is 100 g/kWh and the hour."""
    with LoopbackUK(now_utc=lambda: NOW, g_per_kwh=lambda start_utc: 100 + start_utc.hour) as running:
        yield running


def _load(server: LoopbackUK, *, offline: bool = False) -> Day:
    return load_day(lambda: NOW, source=f"uk+{server.url}", wait_s=PATIENT_S, offline=offline)


def _is_modelled(day: Day) -> bool:
    assert day.label.startswith("MODELLED") == day.label.endswith("not measured")
    assert {reading.source == "bundled-modelled-day" for reading in day.series} == {day.label.startswith("MODELLED")}
    return day.label.startswith("MODELLED")


def test_the_last_24_hours_of_the_live_source(server: LoopbackUK) -> None:
    day = _load(server)

    assert not _is_modelled(day)
    assert day.label == "live: uk, 2026-03-01 15:30 UTC and 24 h on"
    for hour in range(24):
        reading = day.series.at(day.at_hour(hour))
        assert reading is not None
        assert reading.start_utc == datetime(2026, 3, 1, 15, 30, tzinfo=UTC) + timedelta(hours=hour)
        assert reading.g_per_kwh in (100 + reading.start_utc.hour, 110 + reading.start_utc.hour)


def test_offline_nobody_is_asked(server: LoopbackUK) -> None:
    assert _is_modelled(_load(server, offline=True))
    assert server.paths == []


class _HangingSource(ScriptedSource):
    """Answers once it is released."""

    def __init__(self) -> None:
        super().__init__(100)
        self.released = Event()

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        self.released.wait()
        raise SourceDown("too late")


@pytest.mark.timeout(30)
def test_a_source_that_hangs_is_not_waited_for() -> None:
    source = _HangingSource()

    assert _is_modelled(load_day(lambda: NOW, source=source, wait_s=0.01))
    source.released.set()


def _slots(hours: range) -> str:
    first = NOW.replace(minute=0) - timedelta(hours=23)
    starts = [first + timedelta(hours=h, minutes=m) for h in hours for m in (0, 30)]
    stamps = [(f"{s:%Y-%m-%dT%H:%MZ}", f"{s + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}") for s in starts]
    return json.dumps(
        {"data": [{"from": f, "to": t, "intensity": {"actual": 100, "forecast": 100}} for f, t in stamps]}
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=403),
        Answer("<html>"),
        Answer('{"data": []}'),
        Answer(_slots(range(12))),
        Answer(_slots(range(12, 24))),
        Answer(_slots(range(0, 24, 2))),
    ],
    ids=["500", "403", "not JSON", "nothing", "half a day", "the other half", "every other hour"],
)
def test_a_source_that_does_not_tell_the_whole_day_is_not_used(server: LoopbackUK, answer: Answer) -> None:
    server.answer = answer

    assert _is_modelled(_load(server))


def test_a_source_that_is_gone() -> None:
    with LoopbackUK() as server:
        pass

    assert _is_modelled(_load(server))


def test_a_whole_day_in_one_answer_is_used(server: LoopbackUK) -> None:
    """So that the partial days above are turned down for what they lack."""
    server.answer = Answer(_slots(range(24)))

    assert not _is_modelled(_load(server))


def test_the_modelled_day_is_a_whole_day_with_ups_and_downs() -> None:
    day = load_day(lambda: NOW, offline=True)

    figures = [day.series.at(day.at_hour(hour)) for hour in range(24)]
    assert None not in figures
    assert max(r.g_per_kwh for r in figures if r) > 2 * min(r.g_per_kwh for r in figures if r)
