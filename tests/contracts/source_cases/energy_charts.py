from __future__ import annotations

from grid.sources.energy_charts import EnergyChartsSource
from grid.testing.energy_charts import LoopbackEnergyCharts
from tests.contracts.source_cases.case import HttpCase

CASES = [
    HttpCase(
        name="energy-charts",
        zone="DE",
        serve=LoopbackEnergyCharts,
        make=EnergyChartsSource,
        forecast_adds_g_per_kwh=10,
    ),
]
