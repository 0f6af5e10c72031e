"""Great Britain, half hour by half hour, from the National Energy System Operator's Carbon Intensity API; no key.

Documented at https://carbon-intensity.github.io/api-definitions; the data is CC BY 4.0. Its factors count combustion
only (wind, solar and nuclear are 0), so its figures are `direct` and not comparable with life-cycle ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Unpack

from grid.clock import slot_start, utc_now
from grid.errors import BadData, NoData
from grid.http.options import HttpOptions
from grid.intensity import Factors, Intensity, Kind, Series
from grid.source import Capability
from grid.sources.uk_answers import HALF_HOUR, UKAnswers
from grid.sources.uk_places import UKPlace, uk_place

__all__ = ["UKSource"]

# The API rejects ranges of more than about two weeks.
_LONGEST_RANGE = timedelta(days=13)
# It answers 48 h at a time, and knows nothing beyond four days: answers that are shorter are followed up so often.
_LONGEST_FORECAST = timedelta(hours=96)
_MOST_QUESTIONS = 4
# It is minutes late at most: something a day old is not "now", whatever it says.
_OLDEST_LATEST = timedelta(days=1)
# Its clock and ours may differ by so much.
_CLOCKS_DIFFER = timedelta(minutes=2)


class UKSource:
    """Carbon intensity of Great Britain: average, direct factors, forecast two days ahead and more.

    Zones are `GB`, its regions (`GB-LONDON`, see `grid.zones.UK_REGIONS`) and its postcode districts (`GB-SW1A`). Only
    the country as a whole has measured figures. Those of regions and districts come from a model: they are `forecast`
    until their half hour has ended, and `estimated` from then on.

    Args:
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used.
    """

    name = "uk"
    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    kind: Kind = "average"
    factors: Factors = "direct"
    slot_s = HALF_HOUR.total_seconds()

    def __init__(self, **http: Unpack[HttpOptions]) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://api.carbonintensity.org.uk")
        self._api = HttpApi(name=self.name, **http)
        self._now_utc = http.get("now_utc", utc_now)

    def check_zone(self, zone: str) -> None:
        """Accept `GB`, its regions, and whatever has the form of a postcode district.

        Raises:
            ZoneError: any other.
        """
        uk_place(zone, self.name)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The current half hour: the measured figure, or the forecast while there is none.

        Raises:
            NoData: the API has neither.
            BadData: what it calls current lies in the future (clocks may differ by 2 min), or more than a day back.
        """
        place = uk_place(zone, self.name)
        slots = self._ask(place, place.now(), measured=True)
        if not len(slots):
            raise NoData(f"{self.name}: the current half hour of {zone} has neither an actual figure nor a forecast")
        reading = slots.last_before(now_utc) or slots.last_before(now_utc + _CLOCKS_DIFFER)
        if reading is None:
            raise BadData(f"{self.name}: the current half hour begins {slots[0].start_utc}, in the future")
        if reading.end_utc < now_utc - _OLDEST_LATEST:
            raise BadData(f"{self.name}: the current half hour ended {reading.end_utc}, long ago")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Forecast figures, as far ahead as there are any: requests of 48 h each, chained."""
        place = uk_place(zone, self.name)
        by_start: dict[datetime, Intensity] = {}
        asked_from = slot_start(start_utc, HALF_HOUR)
        asked_to = min(end_utc, self._now_utc() + _LONGEST_FORECAST)
        for _ in range(_MOST_QUESTIONS):
            if asked_from >= asked_to:
                break
            slots = self._ask(place, place.ahead(asked_from), measured=False)
            by_start |= {slot.start_utc: slot for slot in slots}
            reached = slots[-1].end_utc if len(slots) else asked_from
            if reached <= asked_from:
                break
            asked_from = reached
        return self._some(by_start, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Measured figures, or forecasts where there is none: requests of 13 days each."""
        place = uk_place(zone, self.name)
        by_start: dict[datetime, Intensity] = {}
        asked_from = slot_start(start_utc, HALF_HOUR)
        while asked_from < end_utc:
            asked_to = min(asked_from + _LONGEST_RANGE, slot_start(end_utc, HALF_HOUR) + HALF_HOUR)
            slots = self._ask(place, place.between(asked_from, asked_to), measured=True)
            by_start |= {slot.start_utc: slot for slot in slots}
            asked_from = asked_to
        return self._some(by_start, start_utc, end_utc)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()

    def _ask(self, place: UKPlace, path: str, *, measured: bool) -> Series:
        document = self._api.get_json(path)
        return UKAnswers(self.name, place, self._now_utc(), measured).series(document, path)

    def _some(self, by_start: dict[datetime, Intensity], start_utc: datetime, end_utc: datetime) -> Series:
        # An answer may begin a slot early, and neighbouring ones share a slot, of which the later question's answer is
        # the newer: hence the dict, and the cut.
        series = Series(by_start.values()).between(start_utc, end_utc)
        if not len(series):
            raise NoData(f"{self.name}: no figure from {start_utc} to {end_utc}")
        return series
