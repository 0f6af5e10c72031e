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
        breaker.failed(now_s, now_s)


def test_failures_in_a_row_open_it_for_a_while() -> None:
    breaker = Breaker(failures=3, first_s=30)
    breaker.failed(0, 0)
    breaker.failed(0, 0)
    assert breaker.closed_for_s(0) == 0
    breaker.failed(0, 0)
    assert breaker.closed_for_s(10) == 20
    assert breaker.closed_for_s(30) == 0


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(failures=3)
    breaker.failed(0, 0)
    breaker.failed(0, 0)
    breaker.succeeded(0)
    breaker.failed(0, 0)
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
        breaker.failed(now_s, now_s)
        waits.append(breaker.closed_for_s(now_s))
    assert waits == [60, 120, 200, 200, 200]


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker)
    breaker.closed_for_s(30)
    breaker.succeeded(30)
    assert [breaker.closed_for_s(30) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(("asked_s", "kept_s"), [(120, 120), (10 * DAY_S, DAY_S)])
def test_what_the_source_asks_for_is_kept_from_the_first_failure_on(asked_s: float, kept_s: float) -> None:
    breaker = Breaker()
    breaker.failed(0, 0, retry_after_s=asked_s)
    assert breaker.closed_for_s(0) == kept_s


def test_what_the_source_asks_for_is_kept_to_whatever_comes_of_other_questions() -> None:
    breaker = Breaker(first_s=30)
    breaker.failed(0, 1, retry_after_s=3_600)
    breaker.failed(0, 2)
    breaker.failed(2, 3, retry_after_s=5)
    breaker.succeeded(4)
    breaker.failed(4, 5)
    assert breaker.closed_for_s(11) == 3_590
    assert breaker.closed_for_s(3_601) == 0


def test_questions_that_run_at_once_fail_once() -> None:
    breaker = Breaker(failures=3, first_s=30)
    for _ in range(10):
        breaker.failed(99, 100)
    assert breaker.closed_for_s(100) == 0
    breaker.failed(100, 101)
    breaker.failed(101, 102)
    assert breaker.closed_for_s(102) == 30


def test_a_question_from_before_the_trial_does_not_decide_it() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker)
    assert breaker.closed_for_s(31) == 0
    breaker.failed(0, 32)
    assert breaker.closed_for_s(32) == 29
    breaker.succeeded(33)
    breaker.failed(0, 34)
    assert breaker.closed_for_s(34) == 0


def test_threads_that_pass_each_other_do_not_set_the_clock_back() -> None:
    breaker = Breaker(first_s=30)
    _open(breaker, now_s=100)
    assert breaker.closed_for_s(99.9) > 0


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
    breaker, now_s, asked_until_s = Breaker(), 0.0, 0.0
    for step_s, what, retry_after_s in steps:
        now_s += step_s
        match what:
            case "fail":
                breaker.failed(now_s, now_s, retry_after_s)
                asked_until_s = max(asked_until_s, now_s + min(retry_after_s or 0, DAY_S))
            case "succeed":
                breaker.succeeded(now_s)
                assert breaker.closed_for_s(now_s) == pytest.approx(max(0, asked_until_s - now_s))
        assert 0 <= breaker.closed_for_s(now_s) <= DAY_S + 1e-6
    assert breaker.closed_for_s(now_s + DAY_S + 1) == 0
