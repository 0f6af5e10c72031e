from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from grid import Grid, Intensity, NoData, Series, SourceDown, SourceRefused, StaticSource
from grid.live.fallback import FallbackSource
from grid.testing import NOON, ManualClock, ScriptedSource, reading

HOUR = timedelta(hours=1)
DOWN = SourceDown("scripted: no answer")


def slots(
    start_utc: datetime, hours: int, *, level: float = 200.0, status: str = "actual", source: str = "scripted"
) -> Series:
    """Hourly readings, low at night."""
    return Series(
        reading(
            level + 100 * ((start_utc + n * HOUR).hour in range(7, 22)),
            start_utc=start_utc + n * HOUR,
            slot_s=3600,
            status=status,  # type: ignore[arg-type]
            source=source,
        )
        for n in range(hours)
    )


AHEAD = slots(NOON, 48, status="forecast")
BEHIND = slots(NOON - 30 * 24 * HOUR, 30 * 24)


def _grid(
    *,
    clock: ManualClock | None = None,
    forecasts: Sequence[Series | Exception] = (),
    histories: Sequence[Series | Exception] = (),
    answer: Exception | float = 200.0,
) -> tuple[Grid, ScriptedSource]:
    source = ScriptedSource(answer, slot_s=3600, forecasts=forecasts, histories=histories)
    return Grid(source, "GB", now_utc=clock or ManualClock(), uniform=lambda: 0.0), source


def test_before_anyone_asked_there_is_no_outlook() -> None:
    grid, source = _grid(forecasts=[AHEAD])
    assert grid.outlook().series is None
    assert grid.outlook().reason == "no forecast yet: the source has not been asked"
    assert source.spans_asked == []


def test_the_source_s_own_forecast_is_given_as_it_is_and_begins_now() -> None:
    clock = ManualClock()
    grid, source = _grid(clock=clock, forecasts=[AHEAD])
    grid.refresh_if_due()
    assert (grid.outlook().series, grid.outlook().reason) == (AHEAD, None)
    assert source.spans_asked == [("forecast", NOON, NOON + 96 * HOUR)]
    clock.advance(90 * 60)
    series = grid.outlook().series
    assert series is not None
    assert series[0].start_utc == NOON + HOUR
    assert series[-1] == AHEAD[-1]


def test_the_forecast_is_asked_for_once_per_slot_and_at_most_every_half_hour() -> None:
    for slot_s, wait_s in ((300.0, 1800), (1800.0, 1800), (3600.0, 3600)):
        source = ScriptedSource(200.0, slot_s=slot_s, forecasts=[AHEAD])
        clock = ManualClock()
        grid = Grid(source, "GB", now_utc=clock, uniform=lambda: 0.0)
        grid.refresh_outlook()
        clock.advance(wait_s - 1)
        grid.refresh_if_due()
        assert len(source.spans_asked) == 1
        clock.advance(1)
        grid.refresh_if_due()
        assert len(source.spans_asked) == 2


def test_with_no_forecast_wanted_none_is_asked_for() -> None:
    source = ScriptedSource(200.0, forecasts=[AHEAD])
    grid = Grid(source, "GB", now_utc=ManualClock(), forecast_s=0)
    grid.refresh_if_due()
    grid.refresh_outlook()
    assert source.spans_asked == []
    assert grid.outlook().series is None


@pytest.mark.parametrize(
    "forecasts",
    [[], [SourceRefused("scripted: not in this plan")], [NoData("scripted: none today")]],
    ids=["none", "refused", "no data"],
)
def test_where_the_source_has_no_forecast_ours_is_made_from_its_history_and_says_so(
    forecasts: list[Series | Exception],
) -> None:
    grid, _ = _grid(forecasts=forecasts, histories=[BEHIND])
    grid.refresh_outlook()
    series, reason = grid.outlook().series, grid.outlook().reason
    assert series is not None
    assert str(forecasts[0] if forecasts else "scripted: it has no forecast") == reason
    assert series[-1].end_utc == NOON + 96 * HOUR
    assert all(r.status == "forecast" and r.source != "scripted" and r.low_g_per_kwh is not None for r in series)
    night, day = series.at(NOON + 15 * HOUR), series.at(NOON + 24 * HOUR)
    assert night is not None
    assert day is not None
    assert night.g_per_kwh < 250 < day.g_per_kwh


def test_ours_is_not_asked_of_the_network_twice() -> None:
    clock = ManualClock()
    later = slots(NOON - 30 * 24 * HOUR, 30 * 24 + 1)
    grid, source = _grid(clock=clock, histories=[BEHIND, later])
    grid.refresh_outlook()
    clock.advance(3600)
    grid.refresh_outlook()
    asked = [(start_utc, end_utc) for what, start_utc, end_utc in source.spans_asked if what == "history"]
    assert asked == [(NOON - 30 * 24 * HOUR, NOON), (NOON, NOON + HOUR)]


def test_a_fault_that_passes_keeps_the_forecast_and_leaves_the_readings_alone() -> None:
    clock = ManualClock()
    grid, source = _grid(clock=clock, forecasts=[AHEAD, DOWN, AHEAD], histories=[BEHIND])
    grid.refresh_if_due()
    clock.advance(3600)
    grid.refresh_if_due()
    assert grid.outlook().series == AHEAD.between(clock(), NOON + 96 * HOUR)
    assert grid.outlook().reason == "scripted: no answer"
    assert [what for what, *_ in source.spans_asked] == ["forecast", "forecast"]
    assert (grid.look().stale, grid.look().reason, grid.latest_problem) == (False, None, None)
    asked = source.asked
    clock.advance(5)
    grid.refresh_if_due()
    assert (grid.outlook().reason, source.asked) == (None, asked)


def test_a_failing_reading_leaves_the_forecast_alone() -> None:
    grid, _ = _grid(forecasts=[AHEAD], answer=DOWN)
    grid.refresh_if_due()
    assert grid.latest_problem is not None
    assert grid.outlook().reason is None


def test_with_nothing_held_a_source_that_is_down_is_helped_out_by_ours() -> None:
    grid, _ = _grid(forecasts=[DOWN], histories=[BEHIND])
    grid.history(NOON - 30 * 24 * HOUR, NOON)
    grid.refresh_outlook()
    assert grid.outlook().series is not None
    assert grid.outlook().reason == "scripted: no answer"
    assert grid.next_due_s() == 0  # the reading
    grid.refresh()
    assert grid.next_due_s() == 5  # the forecast, soon


def test_a_source_that_is_down_is_not_asked_for_its_history_too() -> None:
    grid, source = _grid(forecasts=[DOWN], histories=[BEHIND])
    grid.refresh_outlook()
    assert [what for what, *_ in source.spans_asked] == ["forecast"]
    assert grid.outlook().reason == "no forecast yet: scripted: no answer"


def test_of_a_chain_whose_first_member_is_down_another_is_asked_for_its_history() -> None:
    down = ScriptedSource(DOWN, name="a", slot_s=3600, forecasts=[DOWN], histories=[DOWN])
    able = ScriptedSource(200.0, name="b", slot_s=3600, histories=[BEHIND])
    grid = Grid(FallbackSource([down, able]), "GB", now_utc=ManualClock())
    grid.refresh_outlook()
    assert grid.outlook().series is not None


def test_where_neither_can_be_had_the_reason_tells_both(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "grid")
    grid, _ = _grid(forecasts=[SourceRefused("scripted: not in this plan")], histories=[DOWN])
    grid.refresh_outlook()
    grid.refresh_outlook()
    outlook = grid.outlook()
    assert outlook.series is None
    assert outlook.reason == "no forecast yet: scripted: not in this plan; scripted: no answer"
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_forecast_that_has_run_out_is_none() -> None:
    clock = ManualClock()
    grid, _ = _grid(clock=clock, forecasts=[AHEAD])
    grid.refresh_outlook()
    clock.advance(48 * 3600)
    assert grid.outlook().series is None
    assert "ended" in str(grid.outlook().reason)


def test_a_yearly_figure_is_a_forecast_only_where_no_history_says_more() -> None:
    alone = Grid(StaticSource(250), "GB", now_utc=ManualClock())
    alone.refresh_outlook()
    series = alone.outlook().series
    assert series is not None
    assert {r.status for r in series} == {"static"}

    live = ScriptedSource(200.0, slot_s=3600, factors="lifecycle", histories=[_lifecycle(BEHIND)], name="live")
    chain = Grid(FallbackSource([live, StaticSource(250)]), "GB", now_utc=ManualClock())
    chain.refresh_outlook()
    series = chain.outlook().series
    assert series is not None
    assert {r.status for r in series} == {"forecast"}
    assert "static" in str(chain.outlook().reason)


def test_a_forecast_of_the_running_slot_alone_yields_to_ours() -> None:
    only_now = Series([reading(200, slot_s=3600, status="forecast")])
    grid = Grid(
        ScriptedSource(200.0, slot_s=3600, forecasts=[only_now], histories=[BEHIND]), "GB", now_utc=ManualClock()
    )
    grid.refresh_outlook()
    series = grid.outlook().series
    assert series is not None
    assert len(series) > 24
    assert "what lies ahead" in str(grid.outlook().reason)


def test_ours_is_fitted_on_one_source_of_a_chain_only() -> None:
    split = NOON - 10 * 24 * HOUR
    first = slots(NOON - 30 * 24 * HOUR, 20 * 24, level=200, source="a")
    second = slots(split, 10 * 24, level=2000, source="b")
    grid, _ = _grid(histories=[Series([*first, *second])])
    grid.refresh_outlook()
    outlook = grid.outlook()
    assert outlook.series is None or max(r.g_per_kwh for r in outlook.series) < 1000


def test_a_fault_in_making_ours_is_contained() -> None:
    class Odd(ScriptedSource):
        def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
            raise KeyError("token=abc")

    grid = Grid(Odd(200.0, histories=[BEHIND]), "GB", now_utc=ManualClock())
    grid.refresh_if_due()
    assert grid.look().intensity is not None
    assert "KeyError in test_grid_outlook.py" in str(grid.outlook().reason)
    assert "abc" not in str(grid.outlook().reason)


def _lifecycle(series: Series) -> Series:
    def again(r: Intensity) -> Intensity:
        return reading(r.g_per_kwh, start_utc=r.start_utc, slot_s=3600, factors="lifecycle", source="live")

    return Series(map(again, series))
