from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from grid.errors import WindowError
from grid.intensity import Intensity, Series
from grid.testing import NOON
from grid.windows import Window, WindowPlan, Work, plan, plan_many

HOUR = timedelta(hours=1)


def hours(*figures: float | None) -> Series:
    return Series(
        Intensity(
            zone="GB",
            start_utc=NOON + index * HOUR,
            end_utc=NOON + (index + 1) * HOUR,
            g_per_kwh=figure,
            kind="average",
            factors="direct",
            status="forecast",
            source="test",
            fetched_at_utc=NOON,
        )
        for index, figure in enumerate(figures)
        if figure is not None
    )


def work(duration_h: float, deadline_h: float, **more: Any) -> Work:
    more = {"power_w": 1000.0, "earliest_utc": NOON, **more}
    return Work(duration_s=duration_h * 3600, deadline_utc=NOON + deadline_h * HOUR, **more)


def spans(found: WindowPlan) -> list[tuple[float, float]]:
    return [((w.start_utc - NOON) / HOUR, (w.end_utc - NOON) / HOUR) for w in found.windows]


def test_one_run_takes_the_cheapest_stretch_and_says_what_it_saves() -> None:
    found = plan(work(2, 6), hours(300, 200, 100, 150, 400, 50))
    assert found.windows == (Window(NOON + 2 * HOUR, NOON + 4 * HOUR),)
    assert (found.emitted_g, found.mean_g_per_kwh) == (pytest.approx(250), pytest.approx(125))
    assert found.at_once_g == pytest.approx(500)


def test_a_run_may_start_within_a_slot() -> None:
    assert spans(plan(work(1.5, 4), hours(100, 50, 300, 300))) == [(0.5, 2)]


def test_deadline_and_earliest_may_lie_within_a_slot() -> None:
    series = hours(100, 100, 100, 10)
    assert spans(plan(work(1, 3.25), series)) == [(2.25, 3.25)]
    assert spans(plan(work(1, 3, earliest_utc=NOON + 0.75 * HOUR), series)) == [(0.75, 1.75)]


def test_of_equal_windows_the_earliest_is_taken() -> None:
    series = hours(100, 50, 100, 50, 50)
    assert spans(plan(work(1, 5), series)) == [(1, 2)]
    assert spans(plan(work(1, 5, interruptible=True), series)) == [(1, 2)]


def test_interruptible_work_takes_the_cheapest_slots_the_dearest_in_part() -> None:
    found = plan(work(2.5, 5, interruptible=True), hours(300, 100, 200, 90, 80))
    assert spans(found) == [(1, 1.5), (3, 5)]
    assert found.emitted_g == pytest.approx(50 + 90 + 80)


def test_nothing_is_planned_where_the_intensity_is_unknown() -> None:
    series = hours(500, None, 100, None, 400, 300)
    assert spans(plan(work(2, 6), series)) == [(4, 6)]
    assert spans(plan(work(2, 6, interruptible=True), series)) == [(2, 3), (5, 6)]
    assert spans(plan(work(0.9, 6, interruptible=True, start_up_s=360, start_up_j=1.0), series)) == [(2, 3)]


def test_starting_at_once_into_an_unknown_intensity_emits_an_unknown_amount() -> None:
    assert plan(work(2, 4), hours(500, None, 100, 100)).at_once_g is None
    assert plan(work(1, 4, earliest_utc=NOON - HOUR), hours(500, 400)).at_once_g is None


def test_a_costly_start_up_keeps_work_together_and_a_cheap_one_does_not() -> None:
    series = hours(100, 300, 100, 300, 300)
    costly = plan(work(1.5, 5, interruptible=True, start_up_s=360, start_up_j=5e6), series)
    cheap = plan(work(1.5, 5, interruptible=True, start_up_s=360, start_up_j=1e4), series)
    assert (len(costly.windows), len(cheap.windows)) == (1, 2)


def test_the_start_up_is_part_of_a_run_and_of_its_emissions() -> None:
    found = plan(work(1, 2, start_up_s=1800, start_up_j=1.8e6), hours(100, 200))
    assert spans(found) == [(0, 1.5)]
    assert found.emitted_g == pytest.approx(0.5 * 100 + 0.5 * 100 + 0.5 * 200)
    assert found.mean_g_per_kwh == pytest.approx(200 / 1.5)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (work(3, 6), "10800 s of work, start-up included, do not fit in one run before .* 14400 s .* 7200 s at the"),
        (work(5, 6, interruptible=True), "18000 s .* in runs .* 14400 s of that span"),
        (work(2, 6, start_up_s=1, start_up_j=1), "7201 s"),
        (work(1.9, 6, start_up_s=1000, interruptible=True), "7840 s"),
        (work(1, 0.5), "known for 1800 s"),
        (work(1, -1), "known for 0 s"),
    ],
)
def test_work_that_does_not_fit_is_told_how_much_room_there_is(asked: Work, told: str) -> None:
    series = hours(100, 100, None, None, 100, 100)
    if "7840" in told:
        series = hours(100, 100)
        asked = work(1.9, 2, start_up_s=1000, interruptible=True)
    with pytest.raises(WindowError, match=f"window: .*{told}"):
        plan(asked, series)


def test_an_empty_series_gives_no_room() -> None:
    with pytest.raises(WindowError, match="the series is empty"):
        plan(work(1, 2), Series([]))


def test_many_works_are_planned_like_one_and_one_that_does_not_fit_spoils_none() -> None:
    series = hours(300, 200, 100, 150, 400, 50)
    works = [
        work(2, 6),
        work(9, 6),
        work(1.5, 5, interruptible=True),
        work(1, 6, interruptible=True, start_up_s=600, start_up_j=1e5),
    ]
    found = plan_many(works, series)
    assert isinstance(found[1], WindowError)
    assert [found[0], found[2], found[3]] == [plan(works[index], series) for index in (0, 2, 3)]
    assert plan_many([], series) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_s": 0.0},
        {"duration_s": float("nan")},
        {"power_w": -1.0},
        {"power_w": float("inf")},
        {"start_up_s": -1.0},
        {"start_up_j": 5.0},
        {"deadline_utc": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"earliest_utc": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_work_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"duration_s": 1.0, "power_w": 1.0, "deadline_utc": NOON}
    with pytest.raises(ValueError, match=f"work: .*{next(iter(wrong))}"):
        Work(**(right | wrong))
