"""A chain behind a `Grid`: what was learnt reading by reading is no more mixed than what is asked for at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from grid import Grid, NoData, Series, SourceDown
from grid.live.cache import DiskCache
from grid.live.fallback import FallbackSource
from grid.testing import NOON, ManualClock, ScriptedSource, reading

SLOT = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DOWN = SourceDown("a: no answer")


def _slots(g_per_kwh: float, source: str, first: int = -100, last: int = 100) -> Series:
    return Series(reading(g_per_kwh, start_utc=NOON + n * SLOT, source=source) for n in range(first, last))


def _live_through(grid: Grid, clock: ManualClock, slots: int) -> None:
    for _ in range(slots):
        grid.refresh()
        clock.advance(SLOT.total_seconds())


def _sources(series: Series) -> list[str]:
    return [r.source for r in series]


@pytest.mark.parametrize("restart", [False, True])
def test_a_slot_that_a_later_member_filled_in_is_the_first_one_s_again_once_that_is_back(
    tmp_path: Path, restart: bool
) -> None:
    clock = ManualClock()
    first = ScriptedSource(300.0, 300.0, DOWN, 300.0, name="a", histories=[_slots(300, "a")])
    chain = FallbackSource([first, ScriptedSource(50.0, name="b", histories=[_slots(50, "b")])])
    cache = DiskCache(tmp_path, now_utc=clock)
    grid = Grid(chain, "GB", now_utc=clock, forecast_s=0, cache=cache)
    _live_through(grid, clock, 5)
    if restart:
        grid = Grid(chain, "GB", now_utc=clock, forecast_s=0, cache=cache)
    history = grid.history(NOON, clock())
    assert _sources(history) == ["a"] * 5
    assert history.mean_g_per_kwh(NOON, clock()) == 300


def test_while_the_first_member_is_down_its_gap_stays_a_gap_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    first = ScriptedSource(300.0, 300.0, 300.0, DOWN, name="a", histories=[DOWN])
    chain = FallbackSource([first, ScriptedSource(50.0, name="b", histories=[_slots(50, "b")])])
    grid = Grid(chain, "GB", now_utc=clock, forecast_s=0)
    _live_through(grid, clock, 5)
    history = grid.history(NOON, clock())
    assert _sources(history) == ["a"] * 3
    assert history.mean_g_per_kwh(NOON, clock()) is None
    assert "others than a know more" in caplog.text


def test_what_a_later_member_said_is_final_after_two_days_and_is_not_asked_for_for_ever() -> None:
    clock = ManualClock()
    fetched = Series(replace(r, fetched_at_utc=NOON) for r in _slots(50, "b", -400, 0))
    able = ScriptedSource(50.0, name="b", histories=[fetched])
    grid = Grid(FallbackSource([ScriptedSource(DOWN, name="a"), able]), "GB", now_utc=clock, forecast_s=0)
    week = NOON - timedelta(days=7)

    def later(seconds: float) -> None:
        clock.advance(seconds)
        assert set(_sources(grid.history(week, NOON))) == {"b"}

    later(0)
    later(2 * 3600)
    spans: list[tuple[datetime, datetime]] = [(first, last) for _, first, last in able.spans_asked]
    # What was fetched two days after its span or later is what the source goes on saying.
    assert spans[0] == (week, NOON)
    assert spans[1][0] >= NOON - timedelta(days=2) - SLOT


def test_the_forecast_stands_in_for_a_reading_that_ended_too_long_ago() -> None:
    clock = ManualClock()
    behind = Series(reading(200, start_utc=NOON - n * HOUR, slot_s=3600, source="late") for n in range(25, 25 + 700))
    late = ScriptedSource(behind[-1], name="late", slot_s=3600, histories=[behind])
    grid = Grid(late, "GB", now_utc=clock)
    grid.prime()
    look = grid.look()
    assert look.intensity is not None
    assert (look.intensity.status, look.stale) == ("forecast", False)
    assert look.intensity.start_utc <= clock() < look.intensity.end_utc
    assert look.intensity.source == "late (forecast by sprout-like)"
    assert look.reason == "a forecast, as there is no reading for 24 h 0 min: the newest that late has"


def test_a_reading_within_its_hold_goes_before_the_forecast() -> None:
    clock = ManualClock(NOON + 2 * HOUR)
    ahead = Series(reading(100, start_utc=NOON + n * SLOT, status="forecast") for n in range(40))
    grid = Grid(ScriptedSource(reading(250), forecasts=[ahead]), "GB", now_utc=clock)
    grid.refresh_if_due()
    assert (grid.look().intensity, grid.look().stale) == (reading(250), True)
    clock.advance(2 * 3600)
    assert grid.look().intensity == ahead.at(clock())


def test_without_a_forecast_an_old_reading_is_none() -> None:
    grid = Grid(ScriptedSource(reading(250), histories=[NoData("none")]), "GB", now_utc=ManualClock(NOON + 9 * HOUR))
    grid.prime()
    assert grid.look().intensity is None
