from __future__ import annotations

from grid import UKNationalSource
from grid.testing import LoopbackUK
from tests.contracts.source_cases.case import HttpCase

CASES = [
    HttpCase(name="uk", zone="GB", serve=LoopbackUK, make=UKNationalSource, forecast_adds_g_per_kwh=10),
]
