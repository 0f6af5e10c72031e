"""What a live policy takes for the intensities of the past, and what that makes of `mean_floor`."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Plan
from directives.policies.contextual import ContextualPolicy
from directives.solving import solve
from directives.workload import Bin
from sprout_like.choosing.intensities import QUANTILES, SAMPLE_EVERY_S, Intensities, distance, quantiles
from sprout_like.choosing.knowledge import Basis
from sprout_like.choosing.live import LivePolicy, nothing_known
from sprout_like.choosing.testing import ScriptedKnowledge
from sprout_like.testing import ManualClock

DAY = 48
FOUR_WEEKS = 28 * DAY


def seen(*readings: float, every_s: float = SAMPLE_EVERY_S) -> Intensities:
    intensities = Intensities()
    for place, reading in enumerate(readings):
        intensities.add(reading, place * every_s)
    return intensities


def test_one_is_kept_for_each_half_hour_whether_it_changed_or_not() -> None:
    changing = seen(*(100.0 if place % 180 < 10 else 300.0 for place in range(180 * DAY)), every_s=10.0)
    steady = seen(*[100.0] * DAY * 180, every_s=10.0)

    assert changing.past() == steady.past() == (100.0,) * DAY


def test_one_that_is_unknown_is_not_kept_and_the_next_known_one_is() -> None:
    intensities = seen(100.0)
    intensities.add(None, SAMPLE_EVERY_S)
    intensities.add(300.0, SAMPLE_EVERY_S + 10)

    assert intensities.past() == (200.0,)


def test_less_than_a_day_is_told_as_its_mean() -> None:
    assert seen().past() == ()
    assert seen(*[100.0, 300.0] * 23).past() == (200.0,)
    assert seen(*[100.0, 300.0] * 24).past() == (100.0,) * 24 + (300.0,) * 24


@pytest.mark.parametrize("days", [1, 7, 27])
def test_what_was_stored_stands_for_what_is_left_of_four_weeks(days: int) -> None:
    past = seen(*[300.0] * days * DAY).past((100.0,) * QUANTILES)

    assert len(past) == QUANTILES
    assert past.count(300.0) / QUANTILES == pytest.approx(days / 28, abs=0.5 / QUANTILES)


def test_what_was_stored_stands_for_no_more_than_the_span_that_it_is_from() -> None:
    past = seen(*[300.0] * DAY).past((100.0,) * QUANTILES, 2 * DAY * SAMPLE_EVERY_S)

    assert past.count(300.0) / QUANTILES == pytest.approx(1 / 3, abs=0.5 / QUANTILES)


def test_after_four_weeks_it_is_forgotten_and_so_are_older_samples() -> None:
    past = seen(*[500.0] * DAY, *[300.0] * FOUR_WEEKS).past((100.0,) * QUANTILES)

    assert past == (300.0,) * QUANTILES


def test_until_something_was_seen_it_is_what_was_stored() -> None:
    intensities = seen(300.0)
    intensities.forget()

    assert intensities.past((190.0, 210.0)) == (190.0, 210.0)


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(0.1, 20)), min_size=1, max_size=40),
    st.integers(1, QUANTILES),
)
def test_quantiles_rise_and_each_stands_for_its_share_of_the_weight(
    weighted: list[tuple[float, float]], count: int
) -> None:
    found = quantiles(weighted, count)

    assert (len(found), list(found)) == (count, sorted(found))
    total = sum(weight for _, weight in weighted)
    for limit, _ in weighted:
        below = sum(weight for value, weight in weighted if value <= limit) / total
        assert sum(value <= limit for value in found) / count == pytest.approx(below, abs=0.51 / count)


def test_the_distance_is_by_how_much_they_differ_in_the_mean_place_by_place() -> None:
    assert distance([100.0, 300.0], [300.0, 100.0]) == 0
    assert distance([100.0], [130.0, 130.0]) == pytest.approx(30)
    assert distance([100.0, 300.0], [200.0]) == pytest.approx(100)


@pytest.mark.parametrize("tuned", [True, False])
def test_the_mean_floor_is_kept_however_often_the_grid_tells_another_intensity(tuned: bool) -> None:
    """It rises slowly and falls fast, by the minute: quality is lowest where it is highest, and even in the mean."""
    day = [100 + 300 * min(minute / 1224, (1440 - minute) / 216) for minute in range(1440)]
    quality = Quality(n=10**7, mean=0.64, full_mean=0.8, variance=0.2, full_variance=0.16, covariance=0.15)
    evidence = Evidence(
        cells=(
            Known(directive="full", bin=Bin(), lossless=True, energy_j=Estimate(40.0, 1.0, 1000)),
            Known(directive="brief", bin=Bin(), lossless=False, energy_j=Estimate(15.0, 1.0, 1000), quality=quality),
        ),
        mix={Bin(): 1.0},
        intensities_g_per_kwh=tuple(sorted(day)[7::15]) if tuned else (),
    )
    clock, now, plans = ManualClock(), [day[0]], [nothing_known(0.0)]

    def solved(evidence: Evidence, constraints: Constraints, intensity: float | None) -> Plan:
        plans.append(solve(evidence, constraints, intensity_g_per_kwh=intensity))
        return plans[-1]

    live = LivePolicy(
        ScriptedKnowledge(Basis(key="1", evidence=evidence)),
        Constraints(floor=0.85, mean_floor=0.95, confidence=0.9, explore_share=0.0, control_share=0.0),
        solve=solved,
        intensity=lambda: now[0],
        monotonic_s=clock.monotonic_s,
    )
    served = []
    for now[0] in day * 3:
        live.tick()
        clock.advance(60)
        chances = ContextualPolicy(plans[-1]).chances(Bin(), now[0], ("full", "brief"))
        served.append(chances.get("full", 0.0) + 0.8 * chances.get("brief", 0.0))

    for start in range(0, len(served), len(day)):
        # Half a quantile of the past is more than a level's edge can be off.
        assert fmean(served[start : start + len(day)]) > 0.95 - 0.15 / QUANTILES
    assert min(served) >= 0.85
