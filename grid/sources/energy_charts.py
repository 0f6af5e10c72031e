"""Europe by country, a quarter of an hour at a time, from Energy-Charts by Fraunhofer ISE; no key.

Documented at https://api.energy-charts.info (release 1.5 of 2025-10-21); the data is CC BY 4.0, "Energy-Charts.info".
The documentation gives g CO2 equivalent per kWh and does not say whether more than combustion is counted. That the
figures are `lifecycle` is our assumption, because equivalents and not CO2 are given; it has not been confirmed.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Unpack

from grid.clock import slot_start, utc_now
from grid.errors import BadData, NoData, ZoneError
from grid.http.options import HttpOptions
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.source import Capability

__all__ = ["ENERGY_CHARTS_COUNTRIES", "EnergyChartsSource"]

_ISO = """
AL AM AT AZ BA BE BG BY CH CY CZ DE DK EE ES FI FR GE GR HR HU IE IT LT LU LV MD ME MK MT NL NO PL PT RO RS RU SE SI SK
TR UA XK
"""

ENERGY_CHARTS_COUNTRIES: Mapping[str, str] = {
    **{zone: zone.lower() for zone in _ISO.split()},
    "GB": "uk",
    "GB-NIR": "nie",
}
"""Zone -> `country`, for the countries that the documentation lists; bidding zones are for prices only."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Spans in use; one stamp further from the next than the longest is a gap.
_SLOTS = (timedelta(minutes=15), timedelta(minutes=30), _HOUR)
# Where every second stamp is missing, slots look twice as long as they are. So each question begins a day early, and
# it takes stamps for half of it to believe in a slot longer than the shortest.
_STAMPS_FOR = _DAY / 2
# Nothing is said about a longest range. A quarter is 9,000 figures, which keeps answers small and requests few: the
# rate limit became stricter with release 1.5.
_LONGEST_RANGE = timedelta(days=92)
# Measured figures come an hour or two late, some countries' by several; until then there is a forecast.
_OLDEST_LATEST = timedelta(days=1)


class EnergyChartsSource:
    """Carbon intensity of European countries: average, taken as life cycle, with a forecast for a day or so.

    Args:
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Attributes:
        slot_s: the usual length of a slot; some countries have 30 or 60 minutes, and their readings say so.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used.
    """

    name = "energy-charts"
    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    kind: Kind = "average"
    factors: Factors = "lifecycle"
    slot_s = _SLOTS[0].total_seconds()

    def __init__(self, **http: Unpack[HttpOptions]) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://api.energy-charts.info")
        self._api = HttpApi(name=self.name, **http)
        self._now_utc = http.get("now_utc", utc_now)

    def check_zone(self, zone: str) -> None:
        """Accept the countries of `ENERGY_CHARTS_COUNTRIES`.

        Raises:
            ZoneError: any other.
        """
        if zone not in ENERGY_CHARTS_COUNTRIES:
            near = get_close_matches(zone.upper(), ENERGY_CHARTS_COUNTRIES, n=2, cutoff=0.6)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            covered = f"{len(ENERGY_CHARTS_COUNTRIES)} countries of Europe such as DE and FR"
            raise ZoneError(f"zone: {self.name} covers {covered}, and {zone!r} was asked for{hint}")

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The slot that holds now: the measured figure, or the forecast while there is none; else the newest before.

        Raises:
            NoData: there is none of the last day.
        """
        series = self._asked(zone, now_utc - _OLDEST_LATEST, now_utc + _HOUR, measured=True)
        reading = series.last_before(now_utc)
        if reading is None or reading.end_utc < now_utc - _OLDEST_LATEST:
            raise NoData(f"{self.name}: no figure for {zone} in the 24 h before {now_utc}")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Forecast figures, as far ahead as there are any."""
        return self._some(zone, start_utc, end_utc, measured=False)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Measured figures, or forecasts where there is none: requests of a quarter of a year each."""
        return self._some(zone, start_utc, end_utc, measured=True)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()

    def _some(self, zone: str, start_utc: datetime, end_utc: datetime, *, measured: bool) -> Series:
        self.check_zone(zone)
        by_start: dict[datetime, Intensity] = {}
        asked_from = slot_start(start_utc, _HOUR)
        while asked_from < end_utc:
            asked_to = min(asked_from + _LONGEST_RANGE, slot_start(end_utc, _HOUR) + _HOUR)
            slots = self._asked(zone, asked_from - _DAY, asked_to, measured=measured)
            by_start |= {slot.start_utc: slot for slot in slots}
            asked_from = asked_to
        series = Series(by_start.values()).between(start_utc, end_utc)
        if not len(series):
            raise NoData(f"{self.name}: no figure for {zone} from {start_utc} to {end_utc}")
        return series

    def _asked(self, zone: str, start_utc: datetime, end_utc: datetime, *, measured: bool) -> Series:
        self.check_zone(zone)
        query = {"country": ENERGY_CHARTS_COUNTRIES[zone], "start": _stamp(start_utc), "end": _stamp(end_utc)}
        document = self._api.get_json("/co2eq", query)
        fetched_at_utc = self._now_utc()
        columns = self._columns(document)
        starts = [self._start(seconds) for seconds in columns["unix_seconds"]]
        slot = self._slot(starts)
        readings = []
        for start, actual, forecast in zip(starts, columns["co2eq"], columns["co2eq_forecast"], strict=True):
            figure, status = self._figure(actual, forecast, measured=measured)
            if figure is not None:
                reading = Intensity(
                    zone=zone,
                    start_utc=start,
                    end_utc=start + slot,
                    g_per_kwh=figure,
                    kind="average",
                    factors="lifecycle",
                    status=status,
                    source=self.name,
                    fetched_at_utc=fetched_at_utc,
                )
                readings.append(reading)
        return Series.of_answer(readings)

    def _columns(self, document: Any) -> dict[str, list[Any]]:
        """Stamps, measured figures and forecasts, in parallel."""
        columns: dict[str, list[Any]] = {}
        for name in ("unix_seconds", "co2eq", "co2eq_forecast"):
            column = document.get(name) if isinstance(document, dict) else None
            if not isinstance(column, list):
                raise BadData(f"{self.name}: {reprlib.repr(document)} does not hold the list {name!r}")
            columns[name] = column
        if len({len(column) for column in columns.values()}) > 1:
            lengths = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise BadData(f"{self.name}: the lists of an answer differ in length ({lengths})")
        return columns

    def _start(self, seconds: Any) -> datetime:
        if isinstance(seconds, bool) or not isinstance(seconds, int):
            raise BadData(f"{self.name}: {reprlib.repr(seconds)} is not a time in seconds since 1970")
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError) as exc:
            raise BadData(f"{self.name}: {reprlib.repr(seconds)} s since 1970 is no date") from exc

    def _slot(self, starts: list[datetime]) -> timedelta:
        """How long a slot is: the shortest distance between two stamps, of which all others are multiples."""
        if not starts:
            return _SLOTS[0]
        steps = [after - before for before, after in pairwise(sorted(set(starts)))]
        slot = min(steps, default=None)
        too_few = slot is not None and slot > _SLOTS[0] and len(steps) * slot < _STAMPS_FOR
        if slot not in _SLOTS or too_few or any(step % slot for step in steps):
            said = "one stamp only" if slot is None else f"{len(starts)} stamps {slot} to {max(steps)} apart"
            raise BadData(f"{self.name}: an answer with {said} does not tell the length of its slots")
        return slot

    def _figure(self, actual: Any, forecast: Any, *, measured: bool) -> tuple[Any, Status]:
        if measured and actual is not None:
            return actual, "actual"
        return forecast, "forecast"


def _stamp(when_utc: datetime) -> str:
    return when_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
