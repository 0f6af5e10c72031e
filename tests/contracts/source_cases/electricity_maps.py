from __future__ import annotations

from typing import Any

from grid.sources.electricity_maps import ElectricityMapsSource
from grid.testing.electricity_maps import LoopbackElectricityMaps
from tests.contracts.source_cases.case import HttpCase

KEY = LoopbackElectricityMaps.key


def _v3(*, base_url: str, **known: Any) -> ElectricityMapsSource:
    return ElectricityMapsSource(KEY, base_url=f"{base_url}/v3", **known)


def _v4(*, base_url: str, **known: Any) -> ElectricityMapsSource:
    return ElectricityMapsSource(KEY, base_url=f"{base_url}/v4/", **known)


def _other_shape(document: Any) -> Any:
    """A list of one for an object, and another name for a list."""
    key = next((key for key in ("data", "history", "forecast") if key in document), None)
    if key is None:
        return {"zone": document["zone"], "data": [document]}
    return {"zone": document["zone"], "history" if key == "data" else "data": document[key]}


CASES = [
    HttpCase(
        name=f"electricity-maps-{version}",
        zone="DE",
        elsewhere="FR",
        serve=LoopbackElectricityMaps,
        make=make,
        secrets=(KEY,),
        other_shape=_other_shape,
    )
    for version, make in (("v3", _v3), ("v4", _v4))
]
