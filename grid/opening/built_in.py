"""Our own sources by name. Each is imported when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grid.errors import SourceSpecError
from grid.opening.opening import Opening, OpenSource
from grid.source import Source

__all__ = ["BUILT_IN", "KEYLESS"]


def _uk(opening: Opening) -> Source:
    from grid.sources.uk import UKSource

    return UKSource(**opening.only().http())


def _energy_charts(opening: Opening) -> Source:
    from grid.sources.energy_charts import EnergyChartsSource

    return EnergyChartsSource(**opening.only().http())


def _electricity_maps(opening: Opening) -> Source:
    from grid.sources.electricity_maps import ElectricityMapsSource

    key = opening.only(options=("factors",)).keys.required("electricity_maps_key", opening.name)
    return ElectricityMapsSource(key, factors=opening.factors or "lifecycle", **opening.http())


def _watttime(opening: Opening) -> Source:
    from grid.sources.watttime import WattTimeSource

    opening.only(options=("signal", "region"))
    user = opening.keys.required("watttime_user", opening.name)
    password = opening.keys.required("watttime_password", opening.name)
    signal: Any = opening.options.get("signal", "co2_moer")  # the source says which there are
    return WattTimeSource(user, password, signal=signal, region=opening.options.get("region"), **opening.http())


def _entsoe(opening: Opening) -> Source:
    from grid.sources.entsoe import EntsoeSource

    token = opening.only(options=("factors",)).keys.required("entsoe_token", opening.name)
    return EntsoeSource(token, factors=opening.factors or "lifecycle", **opening.http())


def _eia(opening: Opening) -> Source:
    from grid.sources.eia import EiaSource

    key = opening.only(options=("factors",)).keys.required("eia_key", opening.name)
    return EiaSource(key, factors=opening.factors or "lifecycle", **opening.http())


def _yearly(opening: Opening) -> Source:
    from grid.sources.yearly import YearlySource

    opening.only(base_url=False)
    return YearlySource()


def _static(opening: Opening) -> Source:
    from grid.sources.generation import figure
    from grid.sources.static import StaticSource

    opening.only(options=("factors",), argument=True, base_url=False)
    if (g_per_kwh := figure(opening.argument or "")) is None:
        raise SourceSpecError(
            f"static: {opening.argument!r} is not a figure in g CO2e/kWh; a static source is written like static:250"
        )
    return StaticSource(g_per_kwh, factors=opening.factors or "lifecycle")


def _trace(opening: Opening) -> Source:
    from grid.sources.trace import TraceSource
    from grid.sources.trace_file import read_trace

    opening.only(options=("factors",), argument=True, base_url=False)
    if not opening.argument:
        raise SourceSpecError("trace: it needs a file; a trace is written like trace:day.csv")
    return TraceSource(
        read_trace(opening.argument, zone=opening.zone, factors=opening.factors, now_utc=opening.now_utc)
    )


BUILT_IN: Mapping[str, OpenSource] = {
    "uk": _uk,
    "energy-charts": _energy_charts,
    "electricity-maps": _electricity_maps,
    "watttime": _watttime,
    "entsoe": _entsoe,
    "eia": _eia,
    "yearly": _yearly,
    "static": _static,
    "trace": _trace,
}

KEYLESS = frozenset({"uk", "energy-charts", "yearly", "static", "trace"})
"""Those that need no key."""
