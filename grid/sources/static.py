"""One figure for any zone and any time: a yearly mean, a contract's mix, an example."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from grid.clock import slot_start
from grid.errors import BadData, SourceSpecError
from grid.intensity import Factors, Intensity, Kind, Series
from grid.source import Capability
from grid.zones import check_known

__all__ = ["StaticSource"]

_HOUR = timedelta(hours=1)


class StaticSource:
    """Always the same intensity, with status `static`, in spans of one UTC hour.

    Args:
        g_per_kwh: g CO2e per kWh.
        factors: what the figure counts: `direct` or `lifecycle`.
        name: stored in every row.

    Raises:
        SourceSpecError: the figure is not an intensity, or `factors` is not one of the two.
    """

    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    slot_s = _HOUR.total_seconds()
    kind: Kind = "average"

    def __init__(self, g_per_kwh: float, *, factors: Factors = "lifecycle", name: str = "static") -> None:
        self.name = name
        self._g_per_kwh = g_per_kwh
        self.factors: Factors = factors
        try:
            self._reading("any zone", datetime.min.replace(tzinfo=UTC))
        except BadData as exc:
            raise SourceSpecError(f"{exc}; a static source is written like static:250, in g CO2e/kWh") from exc

    def check_zone(self, zone: str) -> None:
        """Accept every known zone.

        Raises:
            ZoneError: no such zone.
        """
        check_known(zone)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The figure, for the current hour."""
        self.check_zone(zone)
        return self._reading(zone, slot_start(now_utc, _HOUR))

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The figure, hour by hour."""
        self.check_zone(zone)
        first = slot_start(start_utc, _HOUR)
        hours = math.ceil((end_utc - first) / _HOUR)
        return Series(self._reading(zone, first + n * _HOUR) for n in range(hours))

    history = forecast

    def close(self) -> None:
        """Nothing to release."""

    def _reading(self, zone: str, start_utc: datetime) -> Intensity:
        # Nobody told us the figure at some moment: the span's start keeps equal readings equal.
        return Intensity(
            zone=zone,
            start_utc=start_utc,
            end_utc=start_utc + _HOUR,
            g_per_kwh=self._g_per_kwh,
            kind="average",
            factors=self.factors,
            status="static",
            source=self.name,
            fetched_at_utc=start_utc,
        )
