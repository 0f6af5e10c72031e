"""Great Britain, half hour by half hour, from the National Energy System Operator's Carbon Intensity API; no key.

Documented at https://carbon-intensity.github.io/api-definitions; the data is CC BY 4.0. Its factors count combustion
only (wind, solar and nuclear are 0), so its figures are `direct` and not comparable with life-cycle ones.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from grid.clock import UtcNow, slot_start, utc_now
from grid.errors import BadData, ZoneError
from grid.http.retrying import Retrying
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.source import Capability

if TYPE_CHECKING:
    import httpx

__all__ = ["UKNationalSource"]

_SLOT = timedelta(minutes=30)
# The API rejects ranges of more than about two weeks.
_LONGEST_RANGE = timedelta(days=13)
# It is minutes late at most: something a day old is not "now", whatever it says.
_OLDEST_LATEST = timedelta(days=1)

_Figures = Sequence[tuple[str, Status]]
_MEASURED_FIRST: _Figures = (("actual", "actual"), ("forecast", "forecast"))
_FORECAST_ONLY: _Figures = (("forecast", "forecast"),)


class UKNationalSource:
    """Carbon intensity of Great Britain (zone `GB`): average, direct factors, forecast two days ahead and more.

    Args:
        base_url: the API, or something that answers like it.
        timeout_s: limit on each wait for the network, in s.
        now_utc: the clock that stamps when a figure was fetched.
        transport: in place of the network.
        retrying: when a question is asked again; None for three attempts within three times `timeout_s`.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used.
    """

    name = "uk-national"
    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    kind: Kind = "average"
    factors: Factors = "direct"
    slot_s = _SLOT.total_seconds()

    def __init__(
        self,
        *,
        base_url: str = "https://api.carbonintensity.org.uk",
        timeout_s: float = 10.0,
        now_utc: UtcNow = utc_now,
        transport: httpx.BaseTransport | None = None,
        retrying: Retrying | None = None,
    ) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        self._api = HttpApi(
            base_url, name=self.name, timeout_s=timeout_s, now_utc=now_utc, transport=transport, retrying=retrying
        )
        self._now_utc = now_utc

    def check_zone(self, zone: str) -> None:
        """Accept `GB`.

        Raises:
            ZoneError: any other.
        """
        if zone != "GB":
            raise ZoneError(f"zone: {self.name} covers 'GB' only, and {zone!r} was asked for")

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The current half hour: the measured figure, or the forecast while there is none."""
        self.check_zone(zone)
        slots = self._slots("/intensity", _MEASURED_FIRST)
        if not slots:
            raise BadData(f"{self.name}: the current half hour has neither an actual figure nor a forecast")
        reading = slots[-1]
        if reading.start_utc > now_utc + _SLOT:
            raise BadData(f"{self.name}: the current half hour begins {reading.start_utc}, in the future")
        if reading.end_utc < now_utc - _OLDEST_LATEST:
            raise BadData(f"{self.name}: the current half hour ended {reading.end_utc}, long ago")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Forecast figures, as far ahead as there are any: requests of 48 h each, chained."""
        self.check_zone(zone)
        by_start: dict[datetime, Intensity] = {}
        asked_from = slot_start(start_utc, _SLOT)
        while asked_from < end_utc:
            slots = self._slots(f"/intensity/{_stamp(asked_from)}/fw48h", _FORECAST_ONLY)
            by_start |= {slot.start_utc: slot for slot in slots}
            reached = max((slot.end_utc for slot in slots), default=asked_from)
            if reached <= asked_from:
                break
            asked_from = reached
        return self._some(by_start, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Measured figures, or forecasts where there is none: requests of 13 days each."""
        self.check_zone(zone)
        by_start: dict[datetime, Intensity] = {}
        asked_from = slot_start(start_utc, _SLOT)
        while asked_from < end_utc:
            asked_to = min(asked_from + _LONGEST_RANGE, slot_start(end_utc, _SLOT) + _SLOT)
            slots = self._slots(f"/intensity/{_stamp(asked_from)}/{_stamp(asked_to)}", _MEASURED_FIRST)
            by_start |= {slot.start_utc: slot for slot in slots}
            asked_from = asked_to
        return self._some(by_start, start_utc, end_utc)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()

    def _some(self, by_start: dict[datetime, Intensity], start_utc: datetime, end_utc: datetime) -> Series:
        # An answer may begin a slot early and neighbouring ones share a slot: hence the dict, and the cut.
        series = Series(by_start.values()).between(start_utc, end_utc)
        if not len(series):
            raise BadData(f"{self.name}: no figure from {start_utc} to {end_utc}")
        return series

    def _slots(self, path: str, figures: _Figures) -> list[Intensity]:
        """The half hours of an answer that have a figure, in order of time."""
        document = self._api.get_json(path)
        fetched_at_utc = self._now_utc()
        data = document.get("data") if isinstance(document, dict) else None
        if isinstance(data, dict):  # some of the API's answers hold one object where others hold a list
            data = [data]
        if not isinstance(data, list):
            raise BadData(f"{self.name}: {path} answered {reprlib.repr(document)}, which has no data")
        slots = [self._slot(item, figures, fetched_at_utc) for item in data]
        return sorted((slot for slot in slots if slot is not None), key=lambda slot: slot.start_utc)

    def _slot(self, item: Any, figures: _Figures, fetched_at_utc: datetime) -> Intensity | None:
        """One half hour; None where the API has no figure for it."""
        try:
            start_utc, end_utc = (datetime.fromisoformat(item[key]) for key in ("from", "to"))
            known = [(item["intensity"][key], status) for key, status in figures]
        except (KeyError, TypeError, ValueError) as exc:
            raise BadData(f"{self.name}: {reprlib.repr(item)} is not a half hour with an intensity") from exc
        figure, status = next(((figure, status) for figure, status in known if figure is not None), (None, None))
        if figure is None or status is None:
            return None
        reading = Intensity(
            zone="GB",
            start_utc=start_utc,
            end_utc=end_utc,
            g_per_kwh=figure,
            kind="average",
            factors="direct",
            status=status,
            source=self.name,
            fetched_at_utc=fetched_at_utc,
        )
        if end_utc - start_utc != _SLOT:
            raise BadData(f"{self.name}: the span from {start_utc} to {end_utc} is not half an hour")
        return reading


def _stamp(when_utc: datetime) -> str:
    return when_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
