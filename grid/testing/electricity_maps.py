"""The API of Electricity Maps on loopback, traps included."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point

__all__ = ["LoopbackElectricityMaps"]

_HOUR = timedelta(hours=1)
_EARLY = timedelta(minutes=12)
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class LoopbackElectricityMaps(Loopback):
    """Electricity Maps; use `url + "/v3"` or `"/v4"` as base URL.

    The next hour is published 12 min before it begins, and `latest` and `history` end with it from then on.
    The running hour and the two before it are estimated, direct factors give 50 less than life-cycle ones, ranges over
    10 days and horizons over 72 h are rejected, forecasts begin with the running hour and have one point more than
    hours, and whoever does not turn the lookup by IP address off gets an answer about `FR`.

    Attributes:
        key: the key it knows.
        small_plan: whether the key is refused forecasts and ranges.
    """

    key = "em-key-5e1f"
    small_plan = False

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        if asked.headers.get("auth-token") != self.key:
            return Answer('{"error": "Invalid auth-token"}', status=401, headers=_JSON)
        which = asked.path.split("/")[-1]
        if self.small_plan and which not in ("latest", "history"):
            return Answer("Access denied", status=403)
        running, newest = (slot_start(when_utc, _HOUR) for when_utc in (self.now_utc(), self.now_utc() + _EARLY))
        match which:
            case "latest":
                return self._answer(asked, None, [newest])
            case "history":
                return self._answer(asked, "history", [newest - n * _HOUR for n in reversed(range(24))])
            case "past-range":
                start, end = (datetime.fromisoformat(asked.query[key]) for key in ("start", "end"))
                if end - start > timedelta(days=10):
                    return _rejected("the range is longer than 10 days")
                hours = range(int((end - start) / _HOUR) + 1)
                return self._answer(asked, "data", [slot_start(start, _HOUR) + n * _HOUR for n in hours])
            case "forecast":
                horizon_h = int(asked.query.get("horizonHours", 24))
                if horizon_h not in (6, 24, 48, 72):
                    return _rejected("horizonHours must be one of 6, 24, 48, 72")
                return self._answer(asked, "forecast", [running + n * _HOUR for n in range(horizon_h + 1)])
        return Answer('{"status": "error", "message": "no such endpoint"}', status=404, headers=_JSON)

    def _answer(self, asked: Asked, key: str | None, starts: list[datetime]) -> Answer:
        query = asked.query
        switches = {"disableCallerLookup": "true", "shouldUseFallbackCallerLookup": "false"}
        zone = query["zone"] if switches.items() <= query.items() else "FR"
        less = 50 if query.get("emissionFactorType") == "direct" else 0
        points = self.alter([Point(start, self.g_per_kwh(start) - less, zone) for start in starts])
        zone = (points[0].zone if points else None) or zone
        hours = [self._hour(point, zone, query, key) for point in points]
        if key is None and len(hours) == 1:
            return Answer(json.dumps(hours[0]), headers=_JSON)
        document = {"zone": zone, key or "data": hours, "temporalGranularity": "hourly"}
        return Answer(json.dumps(document), headers=_JSON)

    def _hour(self, point: Point, zone: str, query: Any, key: str | None) -> dict[str, object]:
        stamp = f"{point.start_utc:%Y-%m-%dT%H:%M:%S}.000Z"
        if key == "forecast":
            return {"carbonIntensity": point.value, "datetime": stamp}
        estimated = point.start_utc > self.now_utc() - 3 * _HOUR
        return {
            "zone": zone,
            "carbonIntensity": point.value,
            "datetime": stamp,
            "updatedAt": f"{self.now_utc():%Y-%m-%dT%H:%M:%S}.012Z",
            "createdAt": stamp,
            "emissionFactorType": query.get("emissionFactorType", "lifecycle"),
            "isEstimated": estimated,
            "estimationMethod": "TIME_SLICER_AVERAGE" if estimated else None,
        }


def _rejected(why: str) -> Answer:
    return Answer(json.dumps({"status": "error", "message": why}), status=400, headers=_JSON)
