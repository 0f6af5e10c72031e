from __future__ import annotations

from grid import UKSource
from grid.testing import LoopbackUK
from tests.contracts.source_cases.case import HttpCase

CASES = [
    HttpCase(name="uk", zone="GB", serve=LoopbackUK, make=UKSource, forecast_adds_g_per_kwh=10),
    HttpCase(
        name="uk-region",
        zone="GB-LONDON",
        elsewhere="12",
        serve=LoopbackUK,
        make=UKSource,
        forecast_adds_g_per_kwh=10,
    ),
]
