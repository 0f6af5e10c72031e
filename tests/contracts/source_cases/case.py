"""What the contract needs to know of a source that asks over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from grid import Source
from grid.clock import UtcNow
from grid.http.retrying import Retrying
from grid.source import Capability
from grid.testing import Loopback

__all__ = ["HttpCase", "MakeSource", "Serve"]


class Serve(Protocol):
    def __call__(self, *, now_utc: UtcNow, g_per_kwh: Callable[[datetime], float]) -> Loopback: ...


class MakeSource(Protocol):
    def __call__(self, *, base_url: str, now_utc: UtcNow, timeout_s: float, retrying: Retrying) -> Source: ...


@dataclass(frozen=True, kw_only=True)
class HttpCase:
    """One source and the server that plays its API.

    Attributes:
        name: for test ids.
        zone: what is asked for.
        can: what the source can be asked.
        elsewhere: another zone, in the API's own words, for answers about the wrong one; None where answers do not say.
        serve: the server, given a truth in g/kWh.
        make: the source.
        secrets: keys that the source was made with; they must not be seen anywhere.
        forecast_adds_g_per_kwh: by how much the server's forecasts differ from the truth.
        relative: how far a right figure may be from the truth, where units are converted.
        accepts_numeric_text: "200" is a figure in this API.
        other_shape: the other shape in which this API sends a document, such as an object for a list of one; None where
            it has one shape only.
    """

    name: str
    zone: str
    serve: Serve
    make: MakeSource
    can: frozenset[Capability] = frozenset({"latest", "history", "forecast"})
    elsewhere: str | None = None
    secrets: tuple[str, ...] = ()
    forecast_adds_g_per_kwh: float = 0.0
    relative: float = 1e-9
    accepts_numeric_text: bool = False
    other_shape: Callable[[Any], Any] | None = None
