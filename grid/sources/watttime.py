"""What one more kWh causes, in steps of five minutes, from WattTime; with a user name and a password.

Documented at https://docs.watttime.org (v3). `co2_moer` is the marginal rate: CO2 of the power stations that answer to
a change of load. `co2_aoer` is the average one, published afterwards and for accounting. Both count what the power
stations burn (https://www.watttime.org/data-signals), so the figures are `direct`. The API's signal index is a
percentile and no intensity; it is not used.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Literal, Unpack, get_args

from grid.clock import slot_start, utc_now
from grid.errors import BadData, NoData, SourceError, SourceRefused, SourceSpecError, ZoneError
from grid.http.credentials import BasicLogin, LoginToken, is_sendable
from grid.http.options import HttpOptions
from grid.http.retrying import Retrying
from grid.intensity import MAX_G_PER_KWH, Factors, Intensity, Kind, Series, Status
from grid.source import Capability
from grid.sources.watttime_regions import AVERAGE_REGIONS, MARGINAL_REGIONS
from grid.zones import ZONES

__all__ = ["Signal", "WattTimeSource"]

Signal = Literal["co2_moer", "co2_aoer"]

_NAME = "watttime"
_WITH_FORECAST: frozenset[Capability] = frozenset({"latest", "forecast", "history"})
_UNITS = "lbs_co2_per_mwh"
# International avoirdupois pound, exact: NIST Handbook 44 (2024), appendix C.
_G_PER_LB = 453.59237
_KWH_PER_MWH = 1000
_STEP = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
# A token is valid for 30 min.
_TOKEN_VALID = timedelta(minutes=27)
# The API takes about a month; its own client asks for 30 days. Ends are inclusive.
_LONGEST_RANGE = timedelta(days=30)
_LONGEST_HORIZON_H = 72
# The nowcast is minutes old. The average signal follows hours later; after a day it says nothing about now.
_OLDEST_LATEST = {"co2_moer": _HOUR, "co2_aoer": timedelta(days=1)}


class WattTimeSource:
    """WattTime: marginal intensity with history and forecast, or average intensity with history alone.

    A zone that has several regions, such as PJM's, is served by one of them (see `watttime_regions`).

    Args:
        user, password: the account's. One without a subscription may ask about `US-CAL-CISO` only.
        signal: `co2_moer` (marginal) or `co2_aoer` (average).
        region: WattTime's name of a region, in place of the usual one of its zone, which is then the only zone served;
            with a region that no zone is known to have, every zone asked for is taken to be its. None: see above.
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Raises:
        SourceSpecError: the account, the signal, the region, the URL or the timeout cannot be used.
    """

    name = _NAME
    factors: Factors = "direct"
    slot_s = _STEP.total_seconds()

    def __init__(
        self,
        user: str,
        password: str,
        *,
        signal: Signal = "co2_moer",
        region: str | None = None,
        **http: Unpack[HttpOptions],
    ) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://api.watttime.org")
        if signal not in get_args(Signal):
            raise SourceSpecError(f"{_NAME}: signal is {signal!r}; it must be one of {', '.join(get_args(Signal))}")
        marginal = signal == "co2_moer"
        self.kind: Kind = "marginal" if marginal else "average"
        self.can = _WITH_FORECAST if marginal else _WITH_FORECAST - {"forecast"}
        self._signal = signal
        self._region_of = _regions(MARGINAL_REGIONS if marginal else AVERAGE_REGIONS, region)
        self._now_utc = http.get("now_utc", utc_now)
        login = BasicLogin(user, password)
        once: HttpOptions = {**http, "retrying": Retrying(attempts=1)}  # the question that needs it is asked again
        self._login_api = HttpApi(
            name=_NAME,
            credentials=login,
            judge=_judge_login,
            **once,
        )
        self._api = HttpApi(
            name=_NAME,
            credentials=LoginToken(login, self._log_in, valid=_TOKEN_VALID, now_utc=self._now_utc),
            **http,
        )

    def check_zone(self, zone: str) -> None:
        """Accept the zones whose region is known, or that of the `region` asked for.

        Raises:
            ZoneError: any other.
        """
        if zone not in self._region_of:
            covered = sorted(self._region_of)
            near = get_close_matches(str(zone).upper(), covered, n=2, cutoff=0.6) or covered[:2]
            raise ZoneError(
                f"zone: {_NAME} covers {' or '.join(map(repr, near))} for {self._signal}, {len(covered)} in all, "
                f"and {zone!r} was asked for; for others, give region, as WattTime calls it"
            )

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The running five minutes (`forecast`: history follows later), or the newest published of `co2_aoer`.

        Figures that ended an hour ago (`co2_moer`) or a day ago (`co2_aoer`) are no data.
        """
        self.check_zone(zone)
        if self._signal == "co2_moer":
            series = self._ask("forecast", zone, {"horizon_hours": 0}, "forecast")
        else:
            start_utc = slot_start(now_utc - _OLDEST_LATEST[self._signal], _HOUR)
            query = {"start": _stamp(start_utc), "end": _stamp(now_utc)}
            series = self._ask("historical", zone, query, "actual")
        # A clock that differs by less than one step is let through.
        reading = series.last_before(now_utc) or series.last_before(now_utc + _STEP)
        if reading is None:
            raise NoData(f"{_NAME}: nothing for {zone} at {now_utc}")
        if reading.end_utc < now_utc - _OLDEST_LATEST[self._signal]:
            raise NoData(f"{_NAME}: the newest figure for {zone} ended {reading.end_utc}, too long before {now_utc}")
        return reading

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Forecast figures of `co2_moer`, three days ahead at most; what lies further ahead is missing."""
        if "forecast" not in self.can:
            raise SourceError(f"{_NAME}: {self._signal} has no forecast; ask co2_moer")
        self.check_zone(zone)
        ahead_h = math.ceil((end_utc - self._now_utc()) / _HOUR)
        horizon_h = min(max(ahead_h, 1), _LONGEST_HORIZON_H)
        series = self._ask("forecast", zone, {"horizon_hours": horizon_h}, "forecast")
        return _some(series.between(start_utc, end_utc), zone, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """Figures as published, in requests of 30 days: `actual`, or `estimated` where WattTime imputed its input.

        No meter shows a marginal rate: `actual` means that it is the figure that stands.
        """
        self.check_zone(zone)
        readings: list[Intensity] = []
        asked_from = slot_start(start_utc, _HOUR)
        while asked_from < end_utc:
            asked_to = min(asked_from + _LONGEST_RANGE, end_utc)
            last = slot_start(asked_to - timedelta.resolution, _STEP)
            query = {"start": _stamp(asked_from), "end": _stamp(last)}
            readings += self._ask("historical", zone, query, "actual").between(asked_from, asked_to)
            asked_from = asked_to
        return _some(Series(readings).between(start_utc, end_utc), zone, start_utc, end_utc)

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._api.close()
        self._login_api.close()

    def _log_in(self) -> str:
        document = self._login_api.get_json("/login")
        token = document.get("token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not is_sendable(token):
            raise BadData(f"{_NAME}: /login answered without a token; check the base URL")
        return token

    def _ask(self, which: str, zone: str, query: Mapping[str, str | int], status: Status) -> Series:
        """The steps of an answer that have a figure."""
        region = self._region_of[zone]
        document = self._api.get_json(f"/v3/{which}", {"region": region, "signal_type": self._signal, **query})
        fetched_at_utc = self._now_utc()
        meta, data = (document.get(key) if isinstance(document, dict) else None for key in ("meta", "data"))
        if not isinstance(meta, dict) or not isinstance(data, list):
            raise BadData(f"{_NAME}: {which} answered without meta and a list of data")
        for key, asked in (("region", region), ("signal_type", self._signal), ("units", _UNITS)):
            if meta.get(key) != asked:
                said = reprlib.repr(meta.get(key))
                raise BadData(f"{_NAME}: {which} was asked for {key} {asked}, and answered for {said}")
        period = _period(meta.get("data_point_period_seconds"), which)
        readings = []
        for point in data:
            try:
                value, start_utc = point["value"], datetime.fromisoformat(point["point_time"])
                end_utc = start_utc + period
            except (KeyError, TypeError, ValueError, OverflowError) as exc:
                raise BadData(f"{_NAME}: {which} answered a point without value or point_time") from exc
            if value is None:
                continue
            readings.append(
                Intensity(
                    zone=zone,
                    start_utc=start_utc,
                    end_utc=end_utc,
                    g_per_kwh=_g_per_kwh(value, zone),
                    kind=self.kind,
                    factors="direct",
                    status="estimated" if point.get("imputed_data_used") else status,
                    source=_NAME,
                    fetched_at_utc=fetched_at_utc,
                )
            )
        return Series.of_answer(readings)


def _judge_login(status: int, _body: bytes) -> SourceError | None:
    if status != 401:
        return None
    return SourceRefused(f"{_NAME}: it does not know the account; check watttime_user and watttime_password")


def _regions(known: Mapping[str, tuple[str, ...]], region: str | None) -> Mapping[str, str]:
    """Zone -> the region that serves it."""
    if region is None:
        return {zone: regions[0] for zone, regions in known.items()}
    if not is_sendable(region):
        raise SourceSpecError(f"{_NAME}: region is {region!r}; it must be a name such as CAISO_NORTH")
    home = [zone for zone, regions in known.items() if region in regions]
    return dict.fromkeys(home or ZONES, region)


def _period(seconds: Any, which: str) -> timedelta:
    if type(seconds) is not int or not 60 <= seconds <= 3600:
        raise BadData(f"{_NAME}: {which} answered for periods of {reprlib.repr(seconds)} s")
    return timedelta(seconds=seconds)


def _g_per_kwh(lbs_per_mwh: Any, zone: str) -> float:
    if isinstance(lbs_per_mwh, bool) or not isinstance(lbs_per_mwh, int | float):
        raise BadData(f"{_NAME}: intensity for {zone} is {reprlib.repr(lbs_per_mwh)}, not a number")
    if not 0 <= lbs_per_mwh <= MAX_G_PER_KWH * _KWH_PER_MWH / _G_PER_LB:  # false for NaN, safe for huge integers
        raise BadData(f"{_NAME}: intensity for {zone} is {reprlib.repr(lbs_per_mwh)} lbs/MWh, which no grid has")
    return lbs_per_mwh * _G_PER_LB / _KWH_PER_MWH


def _some(series: Series, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
    if not len(series):
        raise NoData(f"{_NAME}: no figure for {zone} from {start_utc} to {end_utc}")
    return series


def _stamp(when_utc: datetime) -> str:
    return when_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
