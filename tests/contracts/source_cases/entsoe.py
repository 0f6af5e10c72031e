from __future__ import annotations

from functools import partial

from grid.sources.entsoe import EntsoeSource
from grid.testing.entsoe import LoopbackEntsoe
from tests.contracts.source_cases.case import HttpCase

TOKEN = "8c1f-token-0b7e"

CASES = [
    HttpCase(
        name="entsoe",
        zone="DE",
        can=frozenset({"latest", "history"}),
        serve=LoopbackEntsoe,
        make=partial(EntsoeSource, TOKEN),
        elsewhere="10YFR-RTE------C",
        secrets=(TOKEN,),
        accepts_numeric_text=True,
    ),
]
