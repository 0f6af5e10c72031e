from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.fuels import FUEL_FACTORS, Fuel, mix_g_per_kwh
from grid.intensity import Factors

powers = st.just(0.0) | st.floats(0.001, 1e6)
mixes = st.dictionaries(st.sampled_from(get_args(Fuel)), powers)
burning = mixes.filter(lambda mix: any(mix.values()))
either = st.sampled_from(get_args(Factors))


def test_every_fuel_has_its_factors_and_says_where_they_are_from() -> None:
    assert set(FUEL_FACTORS) == set(get_args(Fuel))
    for factor in FUEL_FACTORS.values():
        assert 0 <= factor.direct_g_per_kwh <= factor.lifecycle_g_per_kwh < 1_300
        assert any(year in factor.source for year in ("2006", "2014", "2026"))


@pytest.mark.parametrize(
    ("fuel", "lifecycle", "direct"),
    [("coal", 820, 760), ("gas", 490, 370), ("oil", 650, 406), ("biomass", 230, 0), ("hydro", 24, 0), ("wind", 11, 0)],
)
def test_the_factors_are_those_of_the_table(fuel: Fuel, lifecycle: float, direct: float) -> None:
    assert mix_g_per_kwh({fuel: 7.0}, "lifecycle") == pytest.approx(lifecycle)
    assert mix_g_per_kwh({fuel: 7.0}, "direct") == pytest.approx(direct)


@pytest.mark.parametrize(
    ("fuel", "direct"), [("lignite", 869.9), ("oil-shale", 921.5), ("peat", 978.5), ("waste", 660.2)]
)
def test_what_the_table_lacks_is_carbon_over_efficiency(fuel: Fuel, direct: float) -> None:
    assert FUEL_FACTORS[fuel].direct_g_per_kwh == pytest.approx(direct, abs=0.1)


def test_a_mix_is_the_mean_weighted_by_power() -> None:
    assert mix_g_per_kwh({"coal": 250, "wind": 750}, "lifecycle") == pytest.approx(0.25 * 820 + 0.75 * 11)


@pytest.mark.parametrize("mix", [{}, {"coal": 0.0}])
def test_where_nothing_is_generated_nothing_is_known(mix: dict[Fuel, float]) -> None:
    assert mix_g_per_kwh(mix, "direct") is None


@pytest.mark.parametrize("mw", [-1.0, math.nan, math.inf])
def test_what_is_no_power_is_refused(mw: float) -> None:
    with pytest.raises(ValueError, match="0 MW or more"):
        mix_g_per_kwh({"coal": 10.0, "wind": mw}, "direct")


@given(mixes, either)
def test_a_mix_lies_between_its_fuels(mix: dict[Fuel, float], factors: Factors) -> None:
    value = mix_g_per_kwh(mix, factors)
    burnt = [FUEL_FACTORS[fuel].g_per_kwh(factors) for fuel, mw in mix.items() if mw > 0]
    if not burnt:
        assert value is None
    else:
        assert value is not None
        assert min(burnt) * (1 - 1e-9) <= value <= max(burnt) * (1 + 1e-9)


@given(burning, either, st.floats(0.01, 100))
def test_only_shares_matter(mix: dict[Fuel, float], factors: Factors, scale: float) -> None:
    scaled = {fuel: mw * scale for fuel, mw in mix.items()}
    assert mix_g_per_kwh(scaled, factors) == pytest.approx(mix_g_per_kwh(mix, factors), rel=1e-9)


@given(mixes, mixes, either)
def test_two_mixes_together_are_their_weighted_mean(
    one: dict[Fuel, float], other: dict[Fuel, float], factors: Factors
) -> None:
    together = {fuel: one.get(fuel, 0.0) + other.get(fuel, 0.0) for fuel in one | other}
    total = math.fsum(together.values())
    if total > 0:
        parts = [(math.fsum(mix.values()), mix_g_per_kwh(mix, factors) or 0.0) for mix in (one, other)]
        mean = sum(mw * value for mw, value in parts) / total
        assert mix_g_per_kwh(together, factors) == pytest.approx(mean, rel=1e-9)
