"""A source that is down is left alone, and asked again in the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.http.breaker import Breaker

DAY_S = 24 * 3600.0


def _open(breaker: Breaker, now_s: float = 0.0) -> None:
    for _ in range(3):
        breaker.failed(now_s)


def test_failures_in_a_row_open_it_for_a_while() -> None:
    breaker = Breaker(failures=3, first_s=30)
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.closed_for_s(0) == 0
    breaker.failed(0)
    assert breaker.closed_for_s(10) == 20
    assert breaker.closed_for_s(30) == 0


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(failures=3)
    breaker.failed(0)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(0)
    assert breaker.closed_for_s(0) == 0


def test_half_open_lets_one_question_through() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: breaker.closed_for_s(31), range(64)))
    assert sorted(waits)[:2] == [0, 30]


def test_a_trial_that_is_never_decided_does_not_close_it_for_ever() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker)
    assert breaker.closed_for_s(31) == 0
    assert breaker.closed_for_s(61) == 0


def test_each_failed_trial_doubles_the_wait_up_to_a_limit() -> None:
    breaker, now_s, waits = Breaker(first_s=30, longest_s=200), 0.0, []
    _open(breaker)
    for _ in range(5):
        now_s += breaker.closed_for_s(now_s)
        breaker.failed(now_s)
        waits.append(breaker.closed_for_s(now_s))
    assert waits == [60, 120, 200, 200, 200]


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker)
    breaker.closed_for_s(30)
    breaker.succeeded()
    assert [breaker.closed_for_s(30) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(("asked_s", "kept_s"), [(120, 120), (10 * DAY_S, DAY_S)])
def test_what_the_source_asks_for_is_kept_from_the_first_failure_on(asked_s: float, kept_s: float) -> None:
    breaker = Breaker()
    breaker.failed(0, retry_after_s=asked_s)
    assert breaker.closed_for_s(0) == kept_s


def test_a_clock_set_back_opens_it_to_questions() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker, now_s=1_000)
    assert breaker.closed_for_s(0) == 0


@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.sampled_from(["ask", "fail", "succeed"]), st.none() | st.floats(0, 1e7)),
        max_size=40,
    )
)
def test_it_never_closes_for_longer_than_a_day_and_always_opens_again(
    steps: list[tuple[float, str, float | None]],
) -> None:
    breaker, now_s = Breaker(), 0.0
    for step_s, what, retry_after_s in steps:
        now_s += step_s
        match what:
            case "fail":
                breaker.failed(now_s, retry_after_s)
            case "succeed":
                breaker.succeeded()
                assert breaker.closed_for_s(now_s) == 0
        assert 0 <= breaker.closed_for_s(now_s) <= DAY_S + 1e-6
    assert breaker.closed_for_s(now_s + DAY_S + 1) == 0
