"""Pace follows the batches, old ones fading; the rest of a job is never taken for more than its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.jobs.job import Standing
from sprout_like.jobs.working.pace import Pace, work_tokens


def standing(**figures: int) -> Standing:
    rest = {"waiting_n": 1, "leased_n": 0, "done_n": 0, "failed_n": 0}
    return Standing(**{**rest, "left_tokens": 1000, "done_tokens": 0, "done_limit_tokens": 0, **figures})


def test_a_first_batch_is_the_pace() -> None:
    pace = Pace().after_batch(tokens=300, time_s=3.0, energy_j=60.0)
    assert pace.tokens_per_s == pytest.approx(100)
    assert pace.power_w == pytest.approx(20)


def test_nothing_is_known_before_a_batch_with_tokens() -> None:
    assert Pace().tokens_per_s is None
    assert Pace().power_w is None
    assert Pace().after_batch(tokens=0, time_s=1.0, energy_j=None).tokens_per_s is None


def test_an_unmetered_batch_leaves_the_power_as_it_was() -> None:
    pace = Pace().after_batch(tokens=10, time_s=1.0, energy_j=20.0).after_batch(tokens=10, time_s=1.0, energy_j=None)
    assert pace.power_w == pytest.approx(20)


def test_after_two_minutes_at_a_new_pace_it_weighs_half_or_more() -> None:
    pace = Pace().after_batch(tokens=120_000, time_s=120.0, energy_j=1.0)
    for _ in range(12):
        pace = pace.after_batch(tokens=100, time_s=10.0, energy_j=1.0)
    assert pace.tokens_per_s is not None
    assert 10 < pace.tokens_per_s < (1000 + 10) / 2


def test_a_pace_taken_over_is_soon_outweighed() -> None:
    pace = Pace.known(100.0, 50.0)
    assert (pace.tokens_per_s, pace.power_w) == (pytest.approx(100), pytest.approx(50))
    for _ in range(6):
        pace = pace.after_batch(tokens=100, time_s=10.0, energy_j=100.0)
    assert pace.tokens_per_s == pytest.approx(10, rel=0.7)


def test_loading_whose_energy_is_unknown_is_taken_at_the_power_of_work() -> None:
    pace = Pace.known(100.0, 50.0)
    assert pace.after_load(time_s=4.0, energy_j=None).load_j == pytest.approx(200)
    assert pace.after_load(time_s=4.0, energy_j=30.0).load_j == 30.0
    assert Pace().after_load(time_s=4.0, energy_j=None).load_j is None


@given(
    left=st.integers(0, 10**6),
    done_n=st.integers(0, 10**4),
    limit=st.integers(1, 10**6),
    used=st.floats(0, 1),
)
def test_the_rest_is_between_nothing_and_its_limits(left: int, done_n: int, limit: int, used: float) -> None:
    found = work_tokens(
        standing(left_tokens=left, done_n=done_n, done_tokens=int(used * limit), done_limit_tokens=limit)
    )
    assert 0 <= found <= left


def test_few_answers_do_not_shorten_the_rest() -> None:
    assert work_tokens(standing(done_n=7, done_tokens=7, done_limit_tokens=700)) == 1000


def test_many_short_answers_do() -> None:
    found = work_tokens(standing(done_n=100, done_tokens=2_000, done_limit_tokens=10_000))
    assert found == pytest.approx(1000 * 0.2 * 1.1)
