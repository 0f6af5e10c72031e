"""The breaker trips on proof, hardly ever by chance, however often it is looked at."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.breaker import Breaker
from directives.errors import PolicyError
from directives.evidence import Quality


def verdicts(n: int, score: float, full: float, seed: int = 0) -> Quality:
    rng = random.Random(seed)
    quality = Quality.of((float(rng.random() < score), float(rng.random() < full)) for _ in range(n))
    assert quality is not None
    return quality


def test_it_trips_on_useless_answers_after_a_few_verdicts() -> None:
    breaker = Breaker(floor=0.95)
    assert not breaker.tripped(verdicts(5, 0.0, 0.9))
    assert breaker.tripped(verdicts(30, 0.0, 0.9))


def test_a_third_lost_is_seen_within_a_few_hundred() -> None:
    assert Breaker(floor=0.95).tripped(verdicts(400, 0.53, 0.8))


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_as_good_as_full_does_not_trip(seed: int) -> None:
    assert not Breaker(floor=0.95).tripped(verdicts(3000, 0.7, 0.7, seed))


def test_looking_after_every_verdict_trips_a_policy_at_the_floor_no_more_often_than_stated() -> None:
    """300 lives of 400 verdicts at a quality of exactly the floor; a bound for one look only would stop many."""
    breaker, rng = Breaker(floor=0.9, confidence=0.9), random.Random(5)
    stopped = 0
    for _ in range(300):
        total = 0.0
        for n in range(1, 401):
            total += (rng.random() < 0.63) - 0.9 * (rng.random() < 0.7)
            if total / n + breaker.half_width(n) < 0:
                stopped += 1
                break
    assert stopped / 300 <= 0.1


def test_with_enough_verdicts_it_is_for_the_policy_to_show_that_it_keeps_the_floor() -> None:
    """A hair under the floor is never proved; a million verdicts that do not show it kept are enough."""
    under = Quality(n=10**6, mean=0.6315, full_mean=0.7, variance=0.23, full_variance=0.21, covariance=0.0)
    few = Quality(n=10**4, mean=0.6315, full_mean=0.7, variance=0.23, full_variance=0.21, covariance=0.0)
    above = Quality(n=10**6, mean=0.65, full_mean=0.7, variance=0.23, full_variance=0.21, covariance=0.0)
    breaker = Breaker(floor=0.9)
    low, high = breaker.interval(under)
    assert low < 0 < high
    assert breaker.tripped(under)
    assert not breaker.tripped(few)
    assert not breaker.tripped(above)


def test_an_evaluation_says_otherwise_if_it_is_large_enough_and_not_below_the_floor() -> None:
    breaker = Breaker(floor=0.95)
    assert breaker.holds(verdicts(200, 0.75, 0.7))
    assert not breaker.holds(verdicts(3, 1.0, 0.9))
    assert not breaker.holds(verdicts(200, 0.4, 0.7))


@given(floor=st.floats(0, 1), confidence=st.floats(0.5, 0.9999), n=st.integers(1, 10**6))
def test_the_interval_narrows(floor: float, confidence: float, n: int) -> None:
    breaker = Breaker(floor=floor, confidence=confidence)
    assert 0 < breaker.half_width(n + 1) < breaker.half_width(n)


@pytest.mark.parametrize("given", [{"floor": 1.1}, {"floor": -0.1}, {"floor": 0.9, "confidence": 1.0}])
def test_values_out_of_range_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(PolicyError, match=r"floor|confidence"):
        Breaker(**given)
