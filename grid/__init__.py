"""How much carbon does a kWh carry, here, now, next? Readings, the sources they come from, and the latest in memory."""

from grid.bundled import bundled_day
from grid.grid import Grid, Look
from grid.errors import BadData, GridError, NoData, SourceDown, SourceError, SourceRefused, SourceSpecError, ZoneError
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.source import Capability, Source
from grid.sources.static import StaticSource
from grid.sources.trace import TraceSource
from grid.sources.trace_csv import read_trace
from grid.sources.uk_national import UKNationalSource
from grid.spec import SourceSpec, open_source

__all__ = [
    "BadData",
    "Capability",
    "Factors",
    "Grid",
    "GridError",
    "Intensity",
    "Kind",
    "Look",
    "NoData",
    "Series",
    "Source",
    "SourceDown",
    "SourceError",
    "SourceRefused",
    "SourceSpec",
    "SourceSpecError",
    "StaticSource",
    "Status",
    "TraceSource",
    "UKNationalSource",
    "ZoneError",
    "bundled_day",
    "open_source",
    "read_trace",
]
