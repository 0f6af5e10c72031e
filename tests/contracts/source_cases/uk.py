from __future__ import annotations

from typing import Any

from grid import UKSource
from grid.testing import LoopbackUK
from tests.contracts.source_cases.case import HttpCase


def _other_shape(document: Any) -> Any:
    """An object for a list of one, and the other way round."""
    held = document["data"]
    if isinstance(held, dict):
        return {"data": [held]}
    return {"data": held[0]} if len(held) == 1 else document


CASES = [
    HttpCase(
        name="uk",
        zone="GB",
        serve=LoopbackUK,
        make=UKSource,
        forecast_adds_g_per_kwh=10,
        other_shape=_other_shape,
    ),
    HttpCase(
        name="uk-region",
        zone="GB-LONDON",
        elsewhere="12",
        serve=LoopbackUK,
        make=UKSource,
        forecast_adds_g_per_kwh=10,
        other_shape=_other_shape,
    ),
]
