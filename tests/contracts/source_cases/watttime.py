from __future__ import annotations

from typing import Any

from grid.source import Capability
from grid.sources.watttime import WattTimeSource
from grid.testing.watttime import LoopbackWattTime
from tests.contracts.source_cases.case import HttpCase

EVERYTHING: frozenset[Capability] = frozenset({"latest", "history", "forecast"})
USER, PASSWORD = LoopbackWattTime.user, LoopbackWattTime.password


class _LoginFaults(LoopbackWattTime):
    """Whatever is wrong, is wrong with the login too."""

    faults = "all"


def _marginal(**known: Any) -> WattTimeSource:
    return WattTimeSource(USER, PASSWORD, **known)


def _average(**known: Any) -> WattTimeSource:
    return WattTimeSource(USER, PASSWORD, signal="co2_aoer", **known)


CASES = [
    HttpCase(
        name=name,
        zone="US-CAL-CISO",
        can=can,
        elsewhere="PJM_DC",
        serve=serve,
        make=make,
        secrets=(USER, PASSWORD, *tokens),
    )
    for name, serve, make, can, tokens in (
        ("watttime-marginal", LoopbackWattTime, _marginal, EVERYTHING, ("wt-token-0",)),
        ("watttime-average", LoopbackWattTime, _average, EVERYTHING - {"forecast"}, ("wt-token-0",)),
        ("watttime-login", _LoginFaults, _marginal, EVERYTHING, ()),
    )
]
