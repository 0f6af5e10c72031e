"""Few questions, none beyond now, and none that the source cannot answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grid import StaticSource
from grid.testing import NOON, ManualClock, ScriptedSource
from sprout_like.settlement.asking import Asking
from sprout_like.settlement.figures import Group

GB = Group("GB", "average", "direct")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_requests_of_one_day_are_one_question_in_whole_slots(new_source: Any) -> None:
    source = new_source()

    Asking(source, list, ManualClock(NOON + 9 * DAY)).ask(
        GB, [(NOON + 5 * MINUTE, NOON + 6 * MINUTE), (NOON + 300 * MINUTE, NOON + 330 * MINUTE)]
    )

    assert source.asked == [("GB", NOON, NOON + 360 * MINUTE)]


def test_a_long_span_is_asked_for_week_by_week_and_a_long_gap_is_not(new_source: Any) -> None:
    source = new_source()

    Asking(source, list, ManualClock(NOON + 99 * DAY)).ask(
        GB, [(NOON, NOON + 9 * DAY - MINUTE), (NOON + 20 * DAY, NOON + 20 * DAY + MINUTE)]
    )

    week = NOON + 7 * DAY
    last = (NOON + 20 * DAY, NOON + 20 * DAY + 30 * MINUTE)
    assert [span for _, *span in source.asked] == [[NOON, week], [week, NOON + 9 * DAY], list(last)]


def test_nothing_is_asked_beyond_now(new_source: Any) -> None:
    source = new_source()

    asking = Asking(source, list, ManualClock(NOON + 10 * MINUTE))
    asking.ask(GB, [(NOON, NOON + 5 * MINUTE), (NOON + 2 * DAY, NOON + 3 * DAY)])

    assert source.asked == [("GB", NOON, NOON + 10 * MINUTE)]


def test_only_published_figures_of_what_was_asked_for_are_kept(new_source: Any, new_reading: Any) -> None:
    kept: list[Any] = []
    source = new_source(
        new_reading(1, 0), new_reading(2, 1, status="estimated"), new_reading(3, 2, status="forecast"),
        new_reading(4, 3, status="static"),
    )  # fmt: skip

    Asking(source, kept.extend, ManualClock(NOON + DAY)).ask(GB, [(NOON, NOON + 120 * MINUTE)])
    source.readings = [new_reading(5, 0, factors="lifecycle")]
    Asking(source, kept.extend, ManualClock(NOON + DAY)).ask(GB, [(NOON, NOON + 120 * MINUTE)])

    assert [(reading.g_per_kwh, reading.status) for reading in kept] == [(1, "actual"), (2, "estimated")]


@pytest.mark.parametrize(
    ("source", "group", "reason"),
    [
        (ScriptedSource(1.0), GB, "scripted gives no history"),
        (StaticSource(1.0, factors="lifecycle"), GB, "static gives average intensities with lifecycle factors, which"),
        (StaticSource(1.0, factors="direct"), Group("GB", "marginal", "direct"), "static gives average intensities"),
        (StaticSource(1.0), Group("Atlantis", "average", "lifecycle"), "static does not cover Atlantis"),
    ],
)
def test_why_a_source_is_not_asked(source: Any, group: Group, reason: str) -> None:
    asking = Asking(source, list, ManualClock(NOON + DAY))

    asking.ask(group, [(NOON, NOON + MINUTE)])

    assert asking.why(group, NOON, NOON + MINUTE).startswith(reason)
    assert asking.asked == 0


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), ValueError("https://key@host")], ids=["a bug", "a secret"])
def test_a_fault_in_a_source_is_held_against_the_span_alone(new_source: Any, failure: Exception) -> None:
    source, kept = new_source(), []
    source.failure = failure
    asking = Asking(source, kept.extend, ManualClock(NOON + 30 * DAY))

    asking.ask(GB, [(NOON, NOON + MINUTE), (NOON + 9 * DAY, NOON + 9 * DAY + MINUTE)])

    assert (kept, asking.problem, asking.asked) == ([], None, 2)
    why = asking.why(GB, NOON, NOON + MINUTE)
    assert f"published: {type(failure).__name__} in " in why
    assert str(failure) not in why


def test_an_answer_that_is_no_series_is_held_against_the_span(new_source: Any) -> None:
    source = new_source()
    source.history = lambda *_: None
    asking = Asking(source, list, ManualClock(NOON + DAY))

    asking.ask(GB, [(NOON, NOON + MINUTE)])

    assert "returned NoneType, not a Series" in asking.why(GB, NOON, NOON + MINUTE)


def test_a_source_that_cannot_say_what_it_covers_is_not_asked(new_source: Any) -> None:
    source = new_source()
    source.check_zone = lambda _: 1 / 0
    asking = Asking(source, list, ManualClock(NOON + DAY))

    asking.ask(GB, [(NOON, NOON + MINUTE)])

    assert asking.asked == 0
    assert "published: ZeroDivisionError" in asking.why(GB, NOON, NOON + MINUTE)
