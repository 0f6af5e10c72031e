"""The UK Carbon Intensity API on loopback, traps included."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point

__all__ = ["LoopbackUK"]

_HALF_HOUR = timedelta(minutes=30)
_REFUSED = Answer('{"error": {"code": "400 Bad Request", "message": "no such range"}}', status=400)


class LoopbackUK(Loopback):
    """The UK Carbon Intensity API; use it as `uk+URL`.

    Answers begin one slot before the asked start, `actual` is null for what has not ended, ranges over 14 days are
    rejected, and forecasts end 96 h after now. Forecasts are 10 higher than the truth.

    Regions and postcodes have no `actual`, their forecast is the truth once a half hour has ended, and their answers
    hold a list where they are about now and a single object where they are about a span. Where `all_regions` is set,
    they come in the shape of the questions that name no region.
    """

    all_regions = False

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        match asked.path.strip("/").split("/"):
            case ["intensity", *span]:
                points = self._points(span)
                return _REFUSED if points is None else _json({"data": [self._slot(point) for point in points]})
            case ["regional", ("regionid" | "postcode") as key, value]:
                return self._regional([], key, value)
            case ["regional", "intensity", *span, ("regionid" | "postcode") as key, value]:
                return self._regional(span, key, value)
        return _REFUSED

    def _regional(self, span: Sequence[str], key: str, value: str) -> Answer:
        points = self._points(span, value)
        if points is None:
            return _REFUSED
        if self.all_regions:
            return _json({"data": [self._slot_of_all(point, key) for point in points]})
        named = {key: _typed(key, points[0].zone if points else value), "shortname": "a region"}
        place = {**named, "data": [self._slot(point) for point in points]}
        return _json({"data": place if span else [place]})

    def _slot_of_all(self, point: Point, key: str) -> dict[str, Any]:
        slot = self._slot(point)
        one = {key: _typed(key, point.zone), "intensity": slot.pop("intensity")}
        return {**slot, "regions": [{"regionid": 99, "intensity": {"forecast": 1, "index": "very low"}}, one]}

    def _points(self, span: Sequence[str], zone: str | None = None) -> list[Point] | None:
        now_utc = self.now_utc()
        match span:
            case []:
                first = slot_start(now_utc, _HALF_HOUR)
                end = first + _HALF_HOUR
            case [start, "fw48h"]:
                first = datetime.fromisoformat(start) - _HALF_HOUR
                end = min(first + timedelta(hours=48.5), now_utc + timedelta(hours=96))
            case [start, until]:
                first, end = datetime.fromisoformat(start) - _HALF_HOUR, datetime.fromisoformat(until)
                if end - first > timedelta(days=14):
                    return None
            case _:
                return None
        points = []
        while first < end:
            points.append(Point(first, self.g_per_kwh(first), zone))
            first += _HALF_HOUR
        return self.alter(points)

    def _slot(self, point: Point) -> dict[str, Any]:
        first, until = point.start_utc, point.start_utc + _HALF_HOUR
        ended = until <= self.now_utc()
        ahead = point.value + 10 if type(point.value) is int else point.value
        figures = {"forecast": ahead, "actual": point.value if ended else None, "index": "moderate"}
        if point.zone is not None:
            figures = {"forecast": point.value if ended else ahead, "index": "moderate"}
        return {"from": f"{first:%Y-%m-%dT%H:%MZ}", "to": f"{until:%Y-%m-%dT%H:%MZ}", "intensity": figures}


def _typed(key: str, value: str | None) -> int | str | None:
    return int(value) if key == "regionid" and value is not None else value


def _json(document: object) -> Answer:
    return Answer(json.dumps(document), headers={"Content-Type": "application/json"})
