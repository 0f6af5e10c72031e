"""Every source that asks over HTTP."""

from __future__ import annotations

from tests.contracts.source_cases import eia, electricity_maps, energy_charts, entsoe, uk, watttime
from tests.contracts.source_cases.case import HttpCase

CASES: list[HttpCase] = [
    *eia.CASES,
    *electricity_maps.CASES,
    *energy_charts.CASES,
    *entsoe.CASES,
    *uk.CASES,
    *watttime.CASES,
]
