"""Comparisons: what counts something else is never put in one order, and what is missing is said."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from grid import Factors, Grid, Intensity, NoData, Series, SourceDown
from grid.testing import NOON, ManualClock, ScriptedSource, reading
from sprout_like.cli.grid import compare, forecast, history, now
from sprout_like.cli.grid.screen import Screen
from sprout_like.cli.grid.times import Times
from sprout_like.errors import SettingError

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns, whatever the tests are run in."""
    monkeypatch.setenv("COLUMNS", "80")


def hours(zone: str, *values: float, factors: Factors = "direct", back: bool = False) -> Series:
    """Readings from noon on, or up to noon, one an hour."""
    first = NOON - len(values) * HOUR if back else NOON
    return Series(
        reading(value, zone=zone, start_utc=first + n * HOUR, slot_s=3600, factors=factors, status="forecast")
        for n, value in enumerate(values)
    )


def at_noon(zone: str, value: float, factors: Factors = "direct") -> Intensity:
    return reading(value, zone=zone, factors=factors)


def test_what_counts_something_else_stands_in_a_table_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    source = ScriptedSource(
        at_noon("GB", 300),
        at_noon("DE", 30, "lifecycle"),
        at_noon("FR", 40),
        forecasts=[hours("GB", 300, 200), hours("DE", 30, 30, factors="lifecycle"), hours("FR", 40, 50)],
    )
    found = compare.find(source, ["GB", "DE", "FR"], NOON, 2 * HOUR)
    compare.show(Screen(Times(utc=True)), found)

    assert [(row.counts, row.zone) for row in found.rows] == [
        ("average, direct", "FR"),
        ("average, direct", "GB"),
        ("average, lifecycle", "DE"),
    ]
    out = capsys.readouterr().out
    assert out.index("g/kWh, average, direct") < out.index("FR") < out.index("GB") < out.index("average, lifecycle")
    assert "The tables count different things: compare within a table, not across." in out


def test_hours_that_count_something_else_than_the_reading_are_not_shown_beside_it() -> None:
    source = ScriptedSource(at_noon("GB", 300), forecasts=[hours("GB", 20, 20, factors="lifecycle")])
    (row,) = compare.find(source, ["GB"], NOON, 2 * HOUR).rows

    assert row.now is not None
    assert row.summary is None
    assert row.reason == "its next hours count average, lifecycle, its reading average, direct"


@pytest.mark.parametrize(
    ("source", "direction", "mean"),
    [
        (ScriptedSource(200.0, forecasts=[hours("GB", 100, 300)], histories=[hours("GB", 1, back=True)]), "next", 200),
        (ScriptedSource(200.0, histories=[hours("GB", 50, 70, back=True)]), "last", 60),
        (ScriptedSource(200.0), None, None),
    ],
    ids=["forecast", "history", "neither"],
)
def test_the_hours_are_the_next_or_else_the_last(
    source: ScriptedSource, direction: str | None, mean: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = compare.find(source, ["GB"], NOON, 2 * HOUR)
    compare.show(Screen(Times(utc=True)), found)

    (row,) = found.rows
    assert found.direction == direction
    assert row.reason is None
    assert (row.summary and row.summary.mean_g_per_kwh) == mean
    assert (f"the {direction} 2 h" in capsys.readouterr().out) == (direction is not None)


def test_a_zone_that_fails_is_told_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    source = ScriptedSource(
        at_noon("GB", 300),
        SourceDown("scripted: 503"),
        at_noon("FR", 40),
        forecasts=[hours("GB", 300, 200), NoData("scripted: no forecast")],
    )
    found = compare.find(source, ["GB", "DE", "FR", "XX"], NOON, 2 * HOUR)
    compare.show(Screen(Times(utc=True)), found)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("GB ", "FR "))] == ["GB", "FR"]
    assert "DE: scripted: 503" in lines
    assert "FR: scripted: no forecast" in lines
    assert any(line.startswith("XX: 'XX' is not a known zone") for line in lines)
    assert next(line for line in lines if line.startswith("FR ")).split()[1:5] == ["40", "–", "–", "–"]


def test_on_a_narrow_terminal_no_name_and_no_figure_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    zone = "GB-NORTH-WALES-AND-MERSEYSIDE"
    source = ScriptedSource(at_noon(zone, 300), forecasts=[hours(zone, 300, 200)])
    compare.show(Screen(Times(utc=True)), compare.find(source, [zone], NOON, 2 * HOUR))

    assert f"{zone}  300   250     200      300\n" in capsys.readouterr().out


def test_a_reading_is_not_compared_with_hours_that_count_something_else() -> None:
    source = ScriptedSource(
        at_noon("GB", 300),
        forecasts=[hours("GB", 200, 400, 400, 400)],
        histories=[hours("GB", 10, 20, factors="lifecycle", back=True)],
    )
    found = now.find(Grid(source, "GB", now_utc=ManualClock(NOON)), NOON)

    assert found.last is not None
    assert found.next is not None
    assert found.last.standing is None
    assert found.next.standing is not None
    assert (found.next.standing.above, found.next.standing.below) == (0.75, 0.25)


def test_a_reading_that_ended_is_called_stale(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock(NOON + HOUR)
    found = now.find(Grid(ScriptedSource(at_noon("GB", 300)), "GB", now_utc=clock), clock())
    assert found.look.intensity is not None
    now.show(Screen(Times(utc=True)), found, found.look.intensity)

    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "GB: 300 g/kWh (average, direct, actual, stale)",
        "span       2026-03-02 12:00 to 12:30 UTC",
        "source     scripted, fetched 1 h ago",
    ]
    assert lines[3] == "note       the reading ended 30 min ago: the newest that scripted has"
    assert lines[4] == "last 24 h  unknown: of them only this reading is known"
    assert lines[5].startswith("next 24 h  unknown: no forecast yet: scripted: ")


def test_a_forecast_of_ours_says_so_and_is_drawn_with_its_interval(capsys: pytest.CaptureFixture[str]) -> None:
    """The source has a history only, with a daily shape and a surplus that nothing foretells."""
    chance = random.Random(0)
    past = hours("GB", *(300 + 10 * (n % 24) + chance.choice((0, 200)) for n in range(28 * 24)), back=True)
    measured = Series(replace(one, status="actual") for one in past)
    source = ScriptedSource(at_noon("GB", 300), histories=[measured])
    found = forecast.find(Grid(source, "GB", now_utc=ManualClock(NOON)), NOON, 24 * HOUR, 3 * HOUR)
    forecast.show(Screen(Times(utc=True)), found)

    out = capsys.readouterr().out
    assert found.window is not None
    assert found.summary.shares == {"forecast": 1}
    assert "░" in out
    assert "forecast by  scripted (forecast by sprout-like), 0 s ago" in out
    assert "note         scripted: it has no forecast" in out
    assert "shades       where 80 % of what comes is expected to lie" in out


def test_marginal_figures_are_not_written_as_a_trace_which_would_call_them_average(tmp_path: Path) -> None:
    marginal = Series(replace(one, kind="marginal") for one in hours("GB", 300, 200, back=True))
    source = ScriptedSource(reading(300, kind="marginal"), kind="marginal", histories=[marginal])
    found = history.find(Grid(source, "GB", now_utc=ManualClock(NOON)), NOON - 2 * HOUR, NOON)

    with pytest.raises(SettingError, match="a trace is average, and this is marginal"):
        history.write_trace(found, tmp_path / "marginal.csv")
    assert list(tmp_path.iterdir()) == []
