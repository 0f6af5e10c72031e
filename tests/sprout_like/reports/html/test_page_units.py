"""How the page writes figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.reports.figures import Scale
from sprout_like.reports.html.units import (
    amount,
    electricity,
    emissions,
    exact,
    finely,
    in_column,
    interval_of,
    mass,
    points,
    prices,
    share,
    with_interval,
)
from sprout_like.reports.interval import UNKNOWN, Figure

GRAMS = Scale(1, "g")


@given(st.floats(1e-5, 1e12) | st.floats(-1e12, -1e-5))
def test_four_digits_are_within_half_a_thousandth(value: float) -> None:
    written = float(exact(value).replace(",", "").replace("−", "-"))
    assert math.isclose(written, value, rel_tol=5.1e-4)


@given(st.floats(1e-300, 1e12), st.floats(1e-6, 1e6))
def test_a_figure_above_zero_never_passes_for_zero(value: float, factor: float) -> None:
    assert float(in_column(value, Scale(factor, "x")).replace(",", "")) > 0
    assert in_column(-value, Scale(factor, "x")).startswith("−")


@given(st.floats(0.01, 1e9), st.floats(1e-4, 0.5))
def test_a_figure_is_no_finer_than_its_doubt(value: float, part: float) -> None:
    written = with_interval(Figure(value, value * (1 - part), value * (1 + part)), GRAMS)
    figure, off = written.replace(",", "").split(" ± ")
    assert len(figure.partition(".")[2]) == len(off.partition(".")[2])
    assert math.isclose(float(off), value * part, rel_tol=0.06)
    assert abs(float(figure) - value) <= float(off) * 0.06 + 1e-9


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_unknown(value: float | None) -> None:
    assert (
        exact(value)
        == in_column(value, GRAMS)
        == share(value)
        == finely(value)
        == with_interval(Figure(value), GRAMS)
        == "–"
    )


@pytest.mark.parametrize(
    ("figure", "written"),
    [
        (Figure(7460.0, 7363.0, 7557.0), "7,460 ± 97"),
        (Figure(0.5, 0.2, 0.6), "0.5000 (0.2000 to 0.6000)"),
        (Figure(0.5, 0.2, None), "0.5000"),
        (Figure(0.5), "0.5000"),
        (Figure(0.0, 0.0, 0.0), "0 ± 0"),
        (UNKNOWN, "–"),
    ],
)
def test_intervals(figure: Figure, written: str) -> None:
    assert with_interval(figure, GRAMS) == written


@pytest.mark.parametrize(
    ("joules", "unit"), [(0.0, "Wh"), (1.0, "mWh"), (3600.0, "Wh"), (3.6e6, "kWh"), (3.6e9, "MWh"), (3.5e9, "kWh")]
)
def test_the_unit_of_electricity_keeps_its_figures_above_one(joules: float, unit: str) -> None:
    assert electricity((None, joules)).unit == unit


def test_other_figures() -> None:
    assert emissions((2e3,)).unit == "kg CO₂e"
    assert mass(None) == "–"
    assert mass(1234.5) == "1.234 kg CO₂e"
    assert share(-0.034) == "−3.4\u00a0%"
    assert points(-0.0) == "0.0"
    assert points(0.331) == "33.1"
    assert finely(0.0002) == "0.020"
    assert finely(-2e-9) == "< 0.001"
    assert finely(0.0) == "0.000"
    assert (amount(56.4), amount(1e4), amount(0.304)) == ("56.4", "10,000", "0.304")
    assert interval_of(Figure(2.0, 1.0, 3.0), GRAMS) == "1.00 to 3.00 g"
    assert interval_of(Figure(2.0, 1.0, None), GRAMS) == "interval unknown"
    assert interval_of(UNKNOWN, GRAMS) == ""
    assert prices("EUR", [2.0]).unit == "EUR"
    assert prices(None, [2e-6]).unit == "millionths of money"
