"""When to judge, when to stop, and whether the judge likes one place better."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from directives.errors import PolicyError
from directives.evaluation import (
    Due,
    Moment,
    Sampling,
    Schedule,
    first_share,
    mean_interval,
    sprout_due,
    urgency,
)

H = 3600.0
SCHEDULE = Schedule()


def moments(first_h: float, *intensities: float) -> list[Moment]:
    return [Moment((first_h + place) * H, g) for place, g in enumerate(intensities)]


def due(
    now_h: float,
    intensity: float | None = 100,
    *,
    last_h: float | None = 0,
    before: Sequence[float] = (400, 300, 200),
    ahead: Sequence[float] = (),
    idle: bool = True,
) -> Due | None:
    last_s = None if last_h is None else last_h * H
    trailing, forecast = moments(now_h - len(before), *before), moments(now_h + 1, *ahead)
    return SCHEDULE.due(now_h * H, last_s, intensity, trailing, forecast, idle=idle)


def test_confidence_halves_in_a_day() -> None:
    assert urgency(100, 0) == 100
    assert urgency(100, 24 * H) == pytest.approx(200, rel=0.01)


def test_the_first_waits_for_idle_capacity_only() -> None:
    assert due(0, None, last_h=None, before=()) == "first"
    assert due(0, None, last_h=None, idle=False) is None


def test_a_minimum_is_told_by_the_forecast_while_it_lasts() -> None:
    assert due(10, ahead=[120, 130]) == "low"


def test_a_lower_hour_that_is_forecast_is_waited_for() -> None:
    assert due(10, ahead=[120, 80]) is None


def test_a_lower_hour_that_is_too_far_off_is_not() -> None:
    assert due(10, ahead=[120] * 23 + [60]) == "low"


def test_what_is_forecast_for_after_the_limit_does_not_count() -> None:
    assert due(70, ahead=[120, 1]) == "low"


def test_a_rising_intensity_is_no_minimum() -> None:
    assert due(10, 100, before=[400, 300, 90], ahead=[120, 130]) is None


def test_without_a_forecast_a_minimum_is_told_when_it_is_over() -> None:
    assert due(10, 110, before=[400, 300, 100]) == "low"
    assert due(10, 90, before=[400, 300, 100]) is None
    assert due(10, 110, before=[100]) is None


def test_more_than_the_mean_of_the_past_is_no_low() -> None:
    assert due(10, 200, before=[100, 100, 300], ahead=[400]) is None


def test_without_a_past_no_low_is_told() -> None:
    assert due(10, before=[], ahead=[400]) is None


def test_what_is_unknown_is_no_low() -> None:
    assert due(10, None, ahead=[400]) is None


def test_there_is_a_time_of_grace() -> None:
    assert due(6, ahead=[120]) is None
    assert due(6.1, ahead=[120]) == "low"


def test_a_busy_machine_is_left_alone() -> None:
    assert due(10, ahead=[120], idle=False) is None


def test_after_three_days_nothing_else_counts() -> None:
    assert due(71.9, 900, idle=False) is None
    assert due(72, 900, idle=False) == "forced"
    assert due(72, None, before=()) == "forced"


INTENSITIES = st.lists(st.floats(1, 1000), min_size=3, max_size=80)


@given(before=INTENSITIES, ahead=INTENSITIES, intensity=st.floats(1, 1000), now_h=st.floats(0, 100))
def test_due_at_a_low_means_no_better_hour_is_known(
    before: list[float], ahead: list[float], intensity: float, now_h: float
) -> None:
    if due(now_h, intensity, before=before, ahead=ahead) == "low":
        assert 6 < now_h < 72
        assert intensity <= sum(before) / len(before) * (1 + 1e-9)
        limit = range(1, math.ceil(72 - now_h))
        assert all(intensity <= g * math.exp(0.029 * h) * (1 + 1e-9) for h, g in zip(limit, ahead, strict=False))


@given(ahead=INTENSITIES, now_h=st.floats(0, 100), other=INTENSITIES)
def test_without_a_forecast_the_future_does_not_matter(ahead: list[float], now_h: float, other: list[float]) -> None:
    past, now = moments(now_h - 3, 300, 100, 90), now_h * H
    assert SCHEDULE.due(now, 0, 95, past, (), idle=True) == due(now_h, 95, before=[300, 100, 90])


@pytest.mark.parametrize("wrong", [{"grace_s": 9.0, "force_s": 9.0}, {"grace_s": -1.0}, {"force_s": math.inf}])
def test_times_out_of_order(wrong: dict[str, float]) -> None:
    with pytest.raises(PolicyError, match="grace_s"):
        Schedule(**wrong)


def test_sprouts_own_rule() -> None:
    falling_and_rising = [500.0, *[400.0] * 6, 300.0, 200.0, 100.0, 150.0, 160.0]
    mean = 350.0
    told = [hour for hour in range(12) if sprout_due(falling_and_rising, hour, 0, mean_g_per_kwh=mean)]
    assert told == [10]
    assert not sprout_due(falling_and_rising, 10, 0, mean_g_per_kwh=140)
    assert not sprout_due(falling_and_rising, 10, 4, mean_g_per_kwh=mean)
    assert sprout_due([900.0] * 73, 72, 0, mean_g_per_kwh=1)
    assert not sprout_due([900.0], 0, -72, mean_g_per_kwh=1)


def bernoulli(share: float) -> Callable[[random.Random], float]:
    return lambda rng: float(rng.random() < share)


def ternary(win: float, tie: float) -> Callable[[random.Random], float]:
    return lambda rng: 1.0 if (u := rng.random()) < win else 0.5 if u < win + tie else 0.0


def rare(rng: random.Random) -> float:
    return 0.9 if rng.random() < 0.02 else 0.1


@pytest.mark.parametrize(
    ("draw", "mean"),
    [(bernoulli(0.5), 0.5), (bernoulli(0.03), 0.03), (ternary(0.3, 0.4), 0.5), (rare, 0.116)],
)
@pytest.mark.parametrize("aim", [0.05, 0.2])
def test_the_interval_holds_at_all_looks_together(
    draw: Callable[[random.Random], float], mean: float, aim: float
) -> None:
    rng = random.Random(7)
    runs, missed = 120, 0
    for _ in range(runs):
        values = [draw(rng) for _ in range(200)]
        looks = (mean_interval(values[:n], lowest=0, highest=1, aim=aim, confidence=0.8) for n in range(1, 200, 4))
        missed += any(not look.low <= mean <= look.high for look in looks)
    assert missed / runs <= 0.2


def test_stopping_at_the_first_tight_look_keeps_the_confidence() -> None:
    rng = random.Random(3)
    sampling = Sampling(half_width=0.2, floor=1.0, confidence=0.8)
    runs, missed = 150, 0
    for _ in range(runs):
        scores: list[tuple[float, float]] = []
        while sampling.enough(scores) is None:
            score = ternary(0.25, 0.5)(rng)
            scores.append((score, 1 - score))
        found = sampling.interval(scores)
        missed += not found.low <= 0 <= found.high
    assert missed / runs <= 0.2


@pytest.mark.parametrize(("win", "tie", "why"), [(0.8, 0.1, "above"), (0.05, 0.2, "below"), (0.238, 0.5, "tight")])
def test_why_no_more_are_needed(win: float, tie: float, why: str) -> None:
    rng = random.Random(1)
    draw = ternary(win, tie)
    sampling = Sampling(half_width=0.1, floor=0.95)
    scores: list[tuple[float, float]] = []
    while (found := sampling.enough(scores)) is None:
        score = draw(rng)
        scores.append((score, 1 - score))
    assert found == why
    assert len(scores) < 700  # about 2 ln(2/0.05) variance / half_width²


def test_nothing_judged_is_not_enough() -> None:
    sampling = Sampling(floor=0.9)
    assert sampling.enough([]) is None
    assert sampling.interval([])[1:] == (-0.9, 1.0)


SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


@given(scores=SCORES, floor=st.floats(0, 1), half_width=st.floats(0.001, 1))
def test_the_interval_lies_within_what_is_possible(
    scores: list[tuple[float, float]], floor: float, half_width: float
) -> None:
    found = Sampling(half_width=half_width, floor=floor).interval(scores)
    assert -floor - 1e-9 <= found.low <= found.high <= 1 + 1e-9


@given(scores=SCORES, low=st.floats(0.5, 0.9), more=st.floats(0.01, 0.09))
def test_more_confidence_makes_it_wider(scores: list[tuple[float, float]], low: float, more: float) -> None:
    narrow, wide = (Sampling(confidence=c).interval(scores) for c in (low, low + more))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@pytest.mark.parametrize("scores", [[(1.5, 0.5)], [(0.5, 3.0)], [(math.nan, 0.5)]])
def test_what_is_no_score_is_refused(scores: list[tuple[float, float]]) -> None:
    with pytest.raises(PolicyError, match=r"outside \[-0\.95, 1\.0\]"):
        Sampling().interval(scores)


@pytest.mark.parametrize("wrong", [{"half_width": 0.0}, {"floor": 1.1}, {"confidence": 1.0}, {"half_width": math.nan}])
def test_a_sampling_that_makes_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(PolicyError):
        Sampling(**wrong)


def test_a_share_of_first_places() -> None:
    assert first_share(0, 0) is None
    fair, biased = first_share(50, 50), first_share(90, 10)
    assert fair is not None
    assert biased is not None
    assert fair.mean == 0.5
    assert fair.low < 0.5 < fair.high
    assert biased.low > 0.5
    # Wilson's interval of 10 in 100, as in Newcombe 1998, method 3.
    assert first_share(81, 263 - 81) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)


@given(first=st.integers(0, 500), second=st.integers(0, 500))
def test_the_share_of_the_second_is_the_rest(first: int, second: int) -> None:
    assume(first + second > 0)
    one, other = first_share(first, second), first_share(second, first)
    assert one is not None
    assert other is not None
    assert 0 <= one.low <= one.mean <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
