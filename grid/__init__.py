"""How much carbon does a kWh carry, here, now, next, before? Readings, their sources, and the latest in memory.

Planning lives in `grid.windows`, our own forecast in `grid.forecasting`; both need numpy and are imported on their own.
"""

from grid.errors import (
    BadData,
    GridError,
    NoData,
    SourceDown,
    SourceError,
    SourceRefused,
    SourceSpecError,
    WindowError,
    ZoneError,
)
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.live.cache import DiskCache
from grid.live.fallback import FallbackSource
from grid.live.grid import Grid, Look, Outlook
from grid.opening.keys import Keys
from grid.opening.opening import Opening
from grid.opening.spec import SourceSpec, open_source
from grid.places import resolve_zone, zone_at, zone_of_cloud_region
from grid.source import Capability, Source
from grid.sources.bundled_day import bundled_day
from grid.sources.eia import EiaSource
from grid.sources.electricity_maps import ElectricityMapsSource
from grid.sources.energy_charts import EnergyChartsSource
from grid.sources.entsoe import EntsoeSource
from grid.sources.static import StaticSource
from grid.sources.trace import TraceSource
from grid.sources.trace_file import read_trace
from grid.sources.uk import UKSource
from grid.sources.watttime import WattTimeSource
from grid.sources.yearly import YearlySource

__all__ = [
    "BadData",
    "Capability",
    "DiskCache",
    "EiaSource",
    "ElectricityMapsSource",
    "EnergyChartsSource",
    "EntsoeSource",
    "Factors",
    "FallbackSource",
    "Grid",
    "GridError",
    "Intensity",
    "Keys",
    "Kind",
    "Look",
    "NoData",
    "Opening",
    "Outlook",
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
    "UKSource",
    "WattTimeSource",
    "WindowError",
    "YearlySource",
    "ZoneError",
    "bundled_day",
    "open_source",
    "read_trace",
    "resolve_zone",
    "zone_at",
    "zone_of_cloud_region",
]
