"""The arithmetic from joules to grams."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.carbon import Embodied, embodied_g, energy_kwh, operational_g

joules = st.floats(0, 1e12)
intensities = st.floats(0, 5000)
pues = st.floats(1, 3)


def test_a_kilowatt_hour_at_250_g_per_kwh() -> None:
    assert operational_g(3.6e6, 250, 1.0) == 250
    assert operational_g(3.6e6, 250, 1.5) == 375
    assert energy_kwh(7.2e6) == 2


def test_the_worked_example_of_sprout() -> None:
    # 26,356.568 g over 5 years is 1.6715e-4 g/s (constants of the authors' simulator).
    hardware = Embodied(total_g=26356.568, lifetime_s=5 * 365 * 24 * 3600)
    assert embodied_g(hardware, 1.0) == pytest.approx(1.6715e-4, rel=1e-4)


@given(energy_j=st.none() | joules, intensity=st.none() | intensities, pue=pues)
def test_only_the_unknown_stays_unknown(energy_j: float | None, intensity: float | None, pue: float) -> None:
    grams = operational_g(energy_j, intensity, pue)
    assert (grams is None) == (energy_j is None or intensity is None)
    assert grams is None or grams >= 0


@given(one_j=joules, other_j=joules, intensity=intensities, pue=pues)
def test_grams_add_up_as_joules_do(one_j: float, other_j: float, intensity: float, pue: float) -> None:
    apart = [operational_g(e, intensity, pue) for e in (one_j, other_j)]
    together = operational_g(one_j + other_j, intensity, pue)
    assert together == pytest.approx(sum(g for g in apart if g is not None))


@given(less_j=joules, more_j=joules, intensity=intensities, pue=pues)
def test_more_energy_is_never_less_carbon(less_j: float, more_j: float, intensity: float, pue: float) -> None:
    less_j, more_j = sorted((less_j, more_j))
    low, high = operational_g(less_j, intensity, pue), operational_g(more_j, intensity, pue)
    assert low is not None
    assert high is not None
    assert low <= high


@given(duration_s=st.floats(0, 1e6), share=st.floats(0.01, 1))
def test_embodied_is_in_proportion_to_time_and_share(duration_s: float, share: float) -> None:
    hardware = Embodied(total_g=1e5, lifetime_s=1e8, share=share)
    assert embodied_g(hardware, duration_s) == pytest.approx(1e-3 * duration_s * share)
    assert embodied_g(None, duration_s) is embodied_g(hardware, None) is None


def test_no_other_file_converts_joules() -> None:
    """3.6e6 in any spelling stands in carbon.py alone, and once in each package that cannot know of carbon.py."""
    root = Path(__file__).parents[2]
    found = [
        str(path.relative_to(root))
        for package in ("grid", "directives", "sprout_like")
        for path in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value == 3.6e6
    ]
    assert sorted(found) == ["directives/units.py", "grid/windows/work.py", "sprout_like/carbon.py"]
