"""A recorded or modelled series, played back as a source."""

from __future__ import annotations

from datetime import datetime

from grid.errors import NoData, SourceSpecError, ZoneError
from grid.intensity import Intensity, Series
from grid.source import Capability

__all__ = ["TraceSource"]


class TraceSource:
    """Answers from a series, for the series' own zone, and never beyond it.

    Its name is the one that the readings carry. Its forecast is the series itself: whoever plans with it has perfect
    foresight.

    Args:
        series: what to play back, e.g. `read_trace("GB_2023.csv", zone="GB")` or `bundled_day(…)`.

    Raises:
        SourceSpecError: the series is empty.
    """

    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})

    def __init__(self, series: Series) -> None:
        if not len(series):
            raise SourceSpecError("a trace must hold one reading or more, and this series is empty")
        self._series = series
        self.zone = series[0].zone
        self.name = series[0].source
        self.kind = series[0].kind
        self.factors = series[0].factors
        self.slot_s = min((r.end_utc - r.start_utc).total_seconds() for r in series)

    def check_zone(self, zone: str) -> None:
        """Accept the series' own zone.

        Raises:
            ZoneError: any other.
        """
        if zone != self.zone:
            raise ZoneError(f"zone: {self.name} is a trace for {self.zone!r}, and {zone!r} was asked for")

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The reading whose span holds `now_utc`, or in a gap the one before it.

        Raises:
            NoData: `now_utc` lies before the series' start, or at or after its end.
        """
        self.check_zone(zone)
        reading = self._series.last_before(now_utc)
        if reading is None or now_utc >= self._series[-1].end_utc:
            raise NoData(f"{self._held()}, and {now_utc} was asked for")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """What the series holds of that span.

        Raises:
            NoData: nothing.
        """
        self.check_zone(zone)
        series = self._series.between(start_utc, end_utc)
        if not len(series):
            raise NoData(f"{self._held()}, and {start_utc} to {end_utc} was asked for")
        return series

    history = forecast

    def close(self) -> None:
        """Nothing to release."""

    def _held(self) -> str:
        return f"{self.name} holds {self._series[0].start_utc} to {self._series[-1].end_utc}"
