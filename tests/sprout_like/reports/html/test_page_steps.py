"""Points in coarser steps: sums stay, means stay within, and there are few enough to draw."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.reports.html.parts.steps import steps
from sprout_like.reports.report import Point

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

KNOWN = st.none() | st.just(0.0) | st.floats(1e-9, 1e6)


def _point(day: int, energy_j: float | None, level: float | None, kind: str | None = "average") -> Point:
    grams = None if energy_j is None or level is None else energy_j * level / 3.6e6
    return Point(
        start_utc=BEGIN + timedelta(days=day),
        intensity_kind=kind,
        intensity_factors=kind and "direct",
        requests=1,
        energy_j=energy_j,
        operational_g=grams,
        intensity_g_per_kwh=level,
    )


@given(st.lists(st.tuples(st.integers(0, 4000), KNOWN, st.none() | st.floats(1, 900)), min_size=1, max_size=40))
def test_sums_stay_whatever_the_step(found: list[tuple[int, float | None, float | None]]) -> None:
    of_day = {day: _point(day, energy, level) for day, energy, level in found}
    summed = steps(list(of_day.values()), "day")
    together = [step["average", "direct"] for step in summed.sums]
    assert sum(point.requests for point in together) == len(of_day)
    for what in ("energy_j", "operational_g"):
        before = [value for point in of_day.values() if (value := getattr(point, what)) is not None]
        after = [value for point in together if (value := getattr(point, what)) is not None]
        assert math.isclose(math.fsum(before), math.fsum(after), rel_tol=1e-9, abs_tol=1e-9)
        assert bool(before) == bool(after)
    levels = [point.intensity_g_per_kwh for point in of_day.values() if point.intensity_g_per_kwh is not None]
    for point in together:
        if point.intensity_g_per_kwh is not None:
            assert min(levels) * (1 - 1e-9) <= point.intensity_g_per_kwh <= max(levels) * (1 + 1e-9)
    assert list(summed.starts_utc) == sorted(set(summed.starts_utc))


@pytest.mark.parametrize(
    ("days", "name"), [(1, "day"), (31, "day"), (100, "day"), (101, "week"), (365, "week"), (1500, "4 weeks")]
)
def test_there_are_at_most_about_a_hundred_steps(days: int, name: str) -> None:
    summed = steps([_point(day, 1.0, 100.0) for day in range(days)], "day")
    assert summed.name == name
    assert len(summed.starts_utc) <= 101


def test_weeks_begin_on_mondays() -> None:
    summed = steps([_point(day, 1.0, 100.0) for day in range(365)], "day")
    assert {start.isoweekday() for start in summed.starts_utc} == {1}


def test_kinds_stay_apart_and_the_unknown_comes_last() -> None:
    summed = steps([_point(0, 1.0, 100.0), _point(0, 2.0, 300.0, "marginal"), _point(0, 9.0, None, None)], "day")
    assert summed.bases == [("marginal", "direct"), ("average", "direct"), (None, None)]
    assert summed.energy_j() == [12.0]
    assert summed.requests() == [3]


def test_a_mean_is_over_the_energy() -> None:
    clean, dirty = {"energy_j": 3.0, "level": 100.0}, {"energy_j": 1.0, "level": 500.0}
    summed = steps([_point(day, **(clean if day % 2 else dirty)) for day in range(364)], "day")
    week = summed.sums[1]["average", "direct"]
    assert week.energy_j == 13.0
    assert week.intensity_g_per_kwh == pytest.approx((3 * 300 + 4 * 500) / 13)
