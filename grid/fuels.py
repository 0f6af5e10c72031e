"""What a kWh of each fuel emits, and what a kWh of a mix of them does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from grid.intensity import Factors

__all__ = ["FUEL_FACTORS", "Fuel", "FuelFactor", "mix_g_per_kwh"]

Fuel = Literal[
    "biomass",
    "coal",
    "coal-gas",
    "gas",
    "geothermal",
    "hydro",
    "lignite",
    "marine",
    "nuclear",
    "oil",
    "oil-shale",
    "peat",
    "solar",
    "unknown",
    "waste",
    "wind",
    "wind-offshore",
]


@dataclass(frozen=True, slots=True)
class FuelFactor:
    """What one kWh from a fuel emits.

    Attributes:
        lifecycle_g_per_kwh: g CO2e, from mine or factory to dismantling.
        direct_g_per_kwh: g CO2e of the combustion alone; CO2 of biogenic origin counts 0.
        source: where the two figures are from.
    """

    lifecycle_g_per_kwh: float
    direct_g_per_kwh: float
    source: str

    def g_per_kwh(self, factors: Factors) -> float:
        """The figure that counts what `factors` says."""
        return self.lifecycle_g_per_kwh if factors == "lifecycle" else self.direct_g_per_kwh


_IPCC = "IPCC AR5 WG III (2014), Annex III, table A.III.2, median"
_DEFAULTS = "Electricity Maps, config/defaults.yaml (2026)"
_DERIVED = "IPCC 2006 Guidelines, vol. 2, table 2.2, at the efficiency of Regulation (EU) 2015/2402, annex I"

# What coal adds to its combustion in the table below: mine, transport and plant. The solid fuels that the table lacks
# are given the same.
_UPSTREAM_OF_SOLIDS_G_PER_KWH = 820.0 - 760.0
_MJ_PER_KWH = 3.6
# Eurostat counts half of the energy in municipal waste as renewable (Energy statistics manual, annex on renewables).
_FOSSIL_SHARE_OF_WASTE = 0.5


def _derived(co2_g_per_mj: float, efficiency: float, *, upstream_g_per_kwh: float) -> FuelFactor:
    # The same sum gives 770 for hard coal (94.6 g/MJ at 44.2 %), beside the 760 of the table: the two fit together.
    direct = co2_g_per_mj * _MJ_PER_KWH / efficiency
    return FuelFactor(direct + upstream_g_per_kwh, direct, _DERIVED)


FUEL_FACTORS: Mapping[Fuel, FuelFactor] = MappingProxyType(
    {
        "biomass": FuelFactor(230, 0, f"{_IPCC}; direct: BEIS 2021 through {_DEFAULTS}"),
        "coal": FuelFactor(820, 760, _IPCC),
        # Blast-furnace gas burns dirtier, coke-oven gas cleaner, and nobody reports how much of each.
        "coal-gas": FuelFactor(490, 370, f"as gas: {_DEFAULTS}"),
        "gas": FuelFactor(490, 370, _IPCC),
        "geothermal": FuelFactor(38, 0, _IPCC),
        "hydro": FuelFactor(24, 0, _IPCC),
        "lignite": _derived(101.0, 0.418, upstream_g_per_kwh=_UPSTREAM_OF_SOLIDS_G_PER_KWH),
        "marine": FuelFactor(17, 0, _IPCC),
        "nuclear": FuelFactor(12, 0, _IPCC),
        "oil": FuelFactor(650, 406, f"UK POST 2014; direct: EIA 2020 and BEIS 2021 through {_DEFAULTS}"),
        "oil-shale": _derived(107.0, 0.418, upstream_g_per_kwh=_UPSTREAM_OF_SOLIDS_G_PER_KWH),
        "peat": _derived(106.0, 0.390, upstream_g_per_kwh=_UPSTREAM_OF_SOLIDS_G_PER_KWH),
        "solar": FuelFactor(45, 0, f"between the two of {_IPCC} (48 utility, 41 rooftop): {_DEFAULTS}"),
        "unknown": FuelFactor(700, 575, f"assumes that it is thermal: {_DEFAULTS}"),
        # Waste would be there without the power plant: nothing upstream is counted.
        "waste": _derived(91.7 * _FOSSIL_SHARE_OF_WASTE, 0.250, upstream_g_per_kwh=0),
        "wind": FuelFactor(11, 0, _IPCC),
        "wind-offshore": FuelFactor(12, 0, _IPCC),
    }
)
"""Those of good plants. Old ones emit more: up to 1,300 g/kWh on lignite (Turconi et al. 2013, RSER 28:555)."""


def mix_g_per_kwh(mw_by_fuel: Mapping[Fuel, float], factors: Factors) -> float | None:
    """Intensity of a generation mix: the mean of the fuels' factors, weighted by power.

    Args:
        mw_by_fuel: power per fuel in MW (or energy in any unit, the same for all), 0 or more.
        factors: what the figure is to count.

    Returns:
        g CO2e per kWh; None where nothing is generated.

    Raises:
        ValueError: a power that is negative or no number.
    """
    if not all(0 <= mw < math.inf for mw in mw_by_fuel.values()):
        raise ValueError(f"fuels: the power of a fuel must be 0 MW or more, got {dict(mw_by_fuel)}")
    total_mw = math.fsum(mw_by_fuel.values())
    if total_mw == 0:
        return None
    return math.fsum(mw * FUEL_FACTORS[fuel].g_per_kwh(factors) for fuel, mw in mw_by_fuel.items()) / total_mw
