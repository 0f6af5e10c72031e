"""Some 400 zones, hour by hour, from Electricity Maps; with a key.

The API is the same in v3 and v4 (https://app.electricitymaps.com/docs). Its figures are averages of the electricity
consumed in a zone, imports traced. Every plan has the latest hour and the last day; older ones and forecasts are the
larger plans', and the API answers 403 where a plan has them not.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack

from grid.clock import slot_start, utc_now
from grid.errors import BadData, NoData, SourceError, SourceRefused, ZoneError
from grid.http.credentials import HeaderKey
from grid.http.options import HttpOptions
from grid.intensity import Factors, Intensity, Kind, Series, checked_factors
from grid.source import Capability
from grid.zones import ZONES, nearest

__all__ = ["ElectricityMapsSource"]

_NAME = "electricity-maps"
_SLOT = timedelta(hours=1)
# `history` holds 24 hours, of which the last runs, or is about to.
_HISTORY = 24 * _SLOT
# `past-range` refuses more than this in hourly steps.
_LONGEST_RANGE = timedelta(days=10)
_HORIZONS_H = (24, 48, 72)
# Hours that nobody has measured yet are estimated, so the newest is minutes old: after a day it is not "now".
_OLDEST_LATEST = timedelta(days=1)

_Point = Mapping[str, Any]


class ElectricityMapsSource:
    """Carbon intensity of the zones of Electricity Maps: average, history of any age, forecast three days ahead.

    Args:
        key: what the API calls auth-token.
        factors: `lifecycle` or `direct`; asked of the API, and checked in its answers.
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Raises:
        SourceSpecError: the key, the factors, the URL or the timeout cannot be used.
    """

    name = _NAME
    can: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
    kind: Kind = "average"
    slot_s = _SLOT.total_seconds()

    def __init__(
        self,
        key: str,
        *,
        factors: Factors = "lifecycle",
        **http: Unpack[HttpOptions],
    ) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://api.electricitymaps.com/v4")
        self.factors: Factors = checked_factors(factors, _NAME)
        self._api = HttpApi(
            name=_NAME,
            credentials=HeaderKey("auth-token", key),
            judge=_judge,
            **http,
        )
        self._now_utc = http.get("now_utc", utc_now)

    def check_zone(self, zone: str) -> None:
        """Accept the keys of Electricity Maps.

        Raises:
            ZoneError: any other.
        """
        if zone not in ZONES:
            guess = " or ".join(repr(near) for near in nearest(zone) if near in ZONES)
            hint = f"; did you mean {guess}?" if guess else ""
            raise ZoneError(
                f"zone: {_NAME} covers its own zones, such as DE or US-CAL-CISO, and {zone!r} was asked for{hint}"
            )

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The running hour, or the newest before: `estimated` until it is measured.

        An hour is published some minutes before it begins; the one that runs is then asked of `history`, which every
        plan has. One that ended a day ago or earlier is no data.
        """
        self.check_zone(zone)
        series = self._ask("latest", zone, {})
        if not len(series):
            raise NoData(f"{_NAME}: the latest hour of {zone} has no figure")
        if series[0].start_utc > now_utc + _SLOT:
            raise BadData(f"{_NAME}: the latest hour of {zone} begins {series[0].start_utc}, in the future")
        reading = series.last_before(now_utc) or self._ask("history", zone, {}).last_before(now_utc)
        if reading is None:
            raise NoData(f"{_NAME}: there is no hour of {zone} but those after {now_utc}")
        if reading.end_utc < now_utc - _OLDEST_LATEST:
            raise NoData(f"{_NAME}: the latest hour of {zone} ended {reading.end_utc}, more than {_OLDEST_LATEST} ago")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Forecast figures, three days ahead at most; what lies further ahead is missing."""
        self.check_zone(zone)
        ahead = end_utc - self._now_utc()
        horizon_h = next((hours for hours in _HORIZONS_H if ahead <= hours * _SLOT), _HORIZONS_H[-1])
        series = self._ask("forecast", zone, {"horizonHours": horizon_h})
        return _some(series.between(start_utc, end_utc), zone, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Figures as published: `actual` where measured, else `estimated`.

        A span within the last 24 h is asked of `history`, which every plan has, and an older one of `past-range`; the
        first hours of the former too, where `history` lacks them. Where the plan has no ranges, they are missing.
        """
        self.check_zone(zone)
        if start_utc < slot_start(self._now_utc(), _SLOT) - _HISTORY:
            series = self._past_range(zone, start_utc, end_utc)
        else:
            series = self._last_day(zone, start_utc, end_utc)
        return _some(series.between(start_utc, end_utc), zone, start_utc, end_utc)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()

    def _last_day(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        recent = self._ask("history", zone, {})
        if recent.last_before(start_utc) is not None:
            return recent
        try:
            return self._past_range(zone, start_utc, end_utc)
        except NoData:
            return recent
        except SourceRefused as exc:
            if exc.unknown_key:
                raise
            return recent

    def _past_range(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """History of any age, in pieces of 10 days."""
        readings: list[Intensity] = []
        asked_from = slot_start(start_utc, _SLOT)
        while asked_from < end_utc:
            asked_to = min(asked_from + _LONGEST_RANGE, end_utc)
            piece = self._ask("past-range", zone, {"start": _stamp(asked_from), "end": _stamp(asked_to)})
            readings += piece.between(asked_from, asked_to)
            asked_from = asked_to
        return Series(readings)

    def _ask(self, which: str, zone: str, query: Mapping[str, str | int]) -> Series:
        """The hours of an answer that have a figure."""
        document = self._api.get_json(
            f"/carbon-intensity/{which}",
            {
                "zone": zone,
                "emissionFactorType": self.factors,
                "temporalGranularity": "hourly",
                # For a zone it does not know, the API answers for the caller's own, by IP address. The first of the two
                # is the name in the vendor's client, the second that in its documentation.
                "disableCallerLookup": "true",
                "shouldUseFallbackCallerLookup": "false",
                **query,
            },
        )
        fetched_at_utc = self._now_utc()
        points = _points(document, which, zone)
        readings = (self._reading(point, which, zone, fetched_at_utc) for point in points)
        return Series.of_answer(reading for reading in readings if reading is not None)

    def _reading(self, point: _Point, which: str, zone: str, fetched_at_utc: datetime) -> Intensity | None:
        """One hour; None where the API has no figure for it."""
        _check(point, "zone", zone, which)
        _check(point, "emissionFactorType", self.factors, which)
        _check(point, "temporalGranularity", "hourly", which)
        try:
            figure = point["carbonIntensity"]
            start_utc = datetime.fromisoformat(point["datetime"])
            end_utc = start_utc + _SLOT
        except (KeyError, TypeError, ValueError, OverflowError) as exc:
            raise BadData(f"{_NAME}: {which} answered an hour without carbonIntensity or a datetime") from exc
        if figure is None:
            return None
        return Intensity(
            zone=zone,
            start_utc=start_utc,
            end_utc=end_utc,
            g_per_kwh=figure,
            kind="average",
            factors=self.factors,
            status="forecast" if which == "forecast" else "estimated" if _is_estimated(point, which) else "actual",
            source=_NAME,
            fetched_at_utc=fetched_at_utc,
        )


def _judge(status: int, _body: bytes) -> SourceError | None:
    if status != 401:
        return None
    return SourceRefused(f"{_NAME}: it does not know the key; check electricity_maps_key", unknown_key=True)


def _points(document: Any, which: str, zone: str) -> Iterator[_Point]:
    """The hours of an answer, each with what the answer says of them all. Several forms are in use."""
    if not isinstance(document, dict):
        raise BadData(f"{_NAME}: {which} answered no object")
    if document.get("status") == "no-data":
        raise NoData(f"{_NAME}: {which} has nothing for {zone}")
    if "zone" not in document:
        raise BadData(f"{_NAME}: {which} answered without saying which zone it is about; {zone} was asked for")
    common = {key: document[key] for key in ("emissionFactorType", "temporalGranularity") if key in document}
    _check(document, "zone", zone, which)
    found = next((document[key] for key in ("data", "history", "forecast") if key in document), document)
    points = [found] if isinstance(found, dict) else found
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise BadData(f"{_NAME}: {which} answered for {zone}, but no list of hours")
    return ({**common, **point} for point in points)


def _check(point: _Point, key: str, asked: str, which: str) -> None:
    """An answer need not say what it is about; where it does, it must be what was asked for."""
    if point.get(key, asked) != asked:
        raise BadData(f"{_NAME}: {which} was asked for {key} {asked}, and answered for {reprlib.repr(point[key])}")


def _is_estimated(point: _Point, which: str) -> bool:
    """Whether it is no measurement, which is what an answer that does not say is taken for."""
    estimated = point.get("isEstimated")
    if estimated is not None and not isinstance(estimated, bool):
        raise BadData(f"{_NAME}: {which} answered isEstimated {reprlib.repr(estimated)}, neither true nor false")
    return estimated is not False


def _some(series: Series, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
    if not len(series):
        raise NoData(f"{_NAME}: no figure for {zone} from {start_utc} to {end_utc}")
    return series


def _stamp(when_utc: datetime) -> str:
    return when_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
