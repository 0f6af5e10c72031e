from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grid import Grid, SourceDown
from grid.testing import NOON, ManualClock, ScriptedSource, reading

DOWN = SourceDown("scripted: no answer")


def _grid(*answers: Any, clock: ManualClock | None = None, draw: float = 1.0) -> Grid:
    source = ScriptedSource(*answers)
    return Grid(source, "GB", now_utc=clock or ManualClock(), forecast_s=0, uniform=lambda: draw)


def test_it_is_due_at_once_and_then_when_the_span_ends() -> None:
    clock = ManualClock(NOON + timedelta(minutes=10))
    grid = _grid(250.0, clock=clock, draw=0)
    assert grid.next_due_s() == 0
    grid.refresh_if_due()
    assert grid.next_due_s() == 20 * 60
    clock.advance(20 * 60 - 1)
    grid.refresh_if_due()
    assert grid.source.asked == 1  # type: ignore[attr-defined]
    clock.advance(1)
    grid.refresh_if_due()
    assert grid.source.asked == 2  # type: ignore[attr-defined]
    assert not grid.look().stale


def test_processes_ask_at_different_moments_of_a_slot_s_first_twentieth() -> None:
    waits_s = []
    for draw in (0.0, 0.5, 1.0):
        grid = _grid(250.0, draw=draw)
        grid.refresh()
        waits_s.append(grid.next_due_s())
    assert waits_s == [1800, 1845, 1890]


def test_a_span_longer_than_a_slot_is_refreshed_after_a_slot() -> None:
    grid = _grid(reading(250, slot_s=30 * 24 * 3600), draw=0)
    grid.refresh()
    assert grid.next_due_s() == 1800


def test_a_source_that_is_late_is_asked_again_within_the_slot_and_less_often_while_nothing_new_comes() -> None:
    clock = ManualClock(NOON + timedelta(minutes=31))
    late = reading(250)
    grid = _grid(*[late] * 5, reading(240, start_utc=NOON + timedelta(minutes=30)), clock=clock)
    waits_s = []
    for _ in range(5):
        grid.refresh()
        waits_s.append(grid.next_due_s())
    assert grid.look().stale
    assert waits_s == [180, 360, 720, 1440, 1800]
    clock.advance(3600)
    grid.refresh()
    assert grid.next_due_s() == 180


@pytest.mark.parametrize(
    ("draw", "waits"),
    [
        (0.0, [5, 10, 20, 40, 80, 160, 320, 450, 450]),
        (1.0, [10, 20, 40, 80, 160, 320, 640, 900, 900]),
    ],
)
def test_waits_double_between_5_s_and_15_min_and_start_anew_after_an_answer(draw: float, waits: list[float]) -> None:
    clock = ManualClock()
    grid = _grid(*[DOWN] * len(waits), 250.0, DOWN, clock=clock, draw=draw)
    for wait_s in waits:
        grid.refresh_if_due()
        assert grid.next_due_s() == wait_s
        clock.advance(wait_s)
    grid.refresh_if_due()
    grid.refresh()
    assert grid.next_due_s() == waits[0]


def test_a_failure_seen_a_thousand_times_still_has_a_wait() -> None:
    grid = _grid(DOWN)
    for _ in range(2000):
        grid.refresh()
    assert grid.next_due_s() == 900


@pytest.mark.parametrize(("asked_s", "waited_s"), [(None, 10), (0.0, 10), (3600.0, 3600), (1e9, 24 * 3600)])
def test_a_source_that_asks_for_time_gets_it(asked_s: float | None, waited_s: float) -> None:
    grid = _grid(SourceDown("scripted: 429", retry_after_s=asked_s))
    grid.refresh()
    assert grid.next_due_s() == waited_s
