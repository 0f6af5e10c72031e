"""Means of few repetitions and their intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.estimate import Estimate

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def test_the_interval_is_student_s() -> None:
    estimate = Estimate.of([9.0, 10.0, 11.0])

    assert estimate == Estimate(10.0, 1.0, 3)
    assert estimate.half_width == pytest.approx(4.302653 / 3**0.5, rel=1e-6)  # t(0.975, 2), from any table
    assert estimate.low == pytest.approx(10 - 2.484138, rel=1e-6)
    assert estimate.high == pytest.approx(10 + 2.484138, rel=1e-6)


def test_one_measurement_has_no_interval() -> None:
    estimate = Estimate.of([7.0])

    assert estimate == Estimate(7.0, None, 1)
    assert (estimate.half_width, estimate.low, estimate.high) == (None, None, None)


def test_unknown_ones_are_left_out_and_never_count_as_zero() -> None:
    assert Estimate.of([None, 4.0, None, 6.0]) == Estimate(5.0, pytest.approx(2**0.5), 2)
    assert Estimate.of([None]) is None
    assert Estimate.of([]) is None


@given(values, st.floats(0.1, 10))
def test_the_interval_holds_the_mean_and_scales_with_the_unit(measured: list[float], factor: float) -> None:
    one, other = Estimate.of(measured), Estimate.of([factor * value for value in measured])

    assert one is not None
    assert other is not None
    assert one.low <= one.mean <= one.high  # type: ignore[operator]
    assert other.half_width == pytest.approx(factor * one.half_width, rel=1e-6, abs=1e-6)  # type: ignore[operator]
