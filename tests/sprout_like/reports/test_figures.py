"""How figures are written."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.reports.figures import UNKNOWN_MARK, grams, grams_scale, joules_scale, number, percent

_IN_G = {"µg": 1e-6, "mg": 1e-3, "g": 1.0, "kg": 1e3, "t": 1e6}


@pytest.mark.parametrize(
    ("value_g", "written"),
    [
        (0.0, "0 g"),
        (1e-6, "1 µg"),
        (0.9994e-3, "999 µg"),
        (0.9996e-3, "1 mg"),
        (1e-3, "1 mg"),
        (1.234e-3, "1.23 mg"),
        (0.9994, "999 mg"),
        (0.9996, "1 g"),
        (999.4, "999 g"),
        (999.6, "1 kg"),
        (1234.0, "1.23 kg"),
        (-0.0125, "-12.5 mg"),
        (999.6e3, "1 t"),
        (123_456e6, "123,000 t"),
    ],
)
def test_grams_change_unit_where_the_written_figure_would_reach_1000(value_g: float, written: str) -> None:
    assert grams(value_g) == written


@given(st.floats(1e-6, 1e8))
def test_grams_read_back_to_three_figures_and_never_as_1000(value_g: float) -> None:
    figure, unit = grams(value_g).split()

    assert float(figure) < 1000
    assert float(figure) * _IN_G[unit] == pytest.approx(value_g, rel=0.0051)


@given(st.lists(st.floats(0, 1e8) | st.none(), min_size=1))
def test_a_column_has_one_unit_and_stays_below_1000_in_it(values_g: list[float | None]) -> None:
    scale = grams_scale(values_g)

    for value in values_g:
        assert re.fullmatch(r"\d{1,3}\.\d\d|0\.0\d{1,5}|\d\.\de-\d+|0\.\d{3}|–", scale(value))


@given(st.floats(1e-300, 1e3))
def test_what_is_small_keeps_two_digits_beside_what_is_large(value_j: float) -> None:
    assert float(joules_scale([999.0])(value_j).replace(",", "")) == pytest.approx(value_j, rel=0.0501)


@pytest.mark.parametrize(
    ("value_j", "written"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (3.7e-4, "0.00037"),
        (-0.0222, "-0.022"),
        (0.0999, "0.100"),
        (0.126, "0.13"),
        (1.4e-14, "1.4e-14"),
        (-1.4e-14, "-1.4e-14"),
    ],
)
def test_nothing_but_zero_is_written_as_zero(value_j: float, written: str) -> None:
    assert joules_scale([1.0])(value_j) == written


@pytest.mark.parametrize(
    ("largest_j", "unit", "written"),
    [(999.994, "J", "999.99"), (999.996, "kJ", "1.00"), (2.5e6, "MJ", "2.50"), (4e9, "GJ", "4.00")],
)
def test_a_column_of_joules_changes_unit_likewise(largest_j: float, unit: str, written: str) -> None:
    scale = joules_scale([None, 1.0, largest_j])

    assert (scale.unit, scale(largest_j)) == (unit, written)


def test_a_column_that_nothing_is_known_of_has_the_plain_unit() -> None:
    assert (grams_scale([None]).unit, joules_scale([0.0, None]).unit) == ("g", "J")


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(unknown: float | None) -> None:
    written = number(unknown, 2), grams(unknown), grams_scale([unknown])(unknown), percent(unknown).removesuffix(" %")

    assert written == (UNKNOWN_MARK,) * 4


@pytest.mark.parametrize(
    ("share", "written"), [(0.4213, "42.1 %"), (-0.05, "-5.0 %"), (-0.0004, "0.0 %"), (1, "100.0 %")]
)
def test_percent(share: float, written: str) -> None:
    assert percent(share) == written


def test_thousands_are_marked() -> None:
    assert number(1234567.891, 1) == "1,234,567.9"
