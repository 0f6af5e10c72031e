from __future__ import annotations

from functools import partial

from grid.sources.eia import EiaSource
from grid.testing.eia import LoopbackEia
from tests.contracts.source_cases.case import HttpCase

KEY = "k3y-of-the-eia"

CASES = [
    HttpCase(
        name="eia",
        zone="US-CAL-CISO",
        can=frozenset({"latest", "history"}),
        serve=LoopbackEia,
        make=partial(EiaSource, KEY),
        elsewhere="ERCO",
        secrets=(KEY,),
        accepts_numeric_text=True,
    ),
]
