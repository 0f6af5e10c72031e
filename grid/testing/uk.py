"""The UK Carbon Intensity API on loopback, traps included."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point

__all__ = ["LoopbackUK"]

_HALF_HOUR = timedelta(minutes=30)


class LoopbackUK(Loopback):
    """The UK Carbon Intensity API; use it as `uk+URL`.

    Answers begin one slot before the asked start, `actual` is null for what has not ended, ranges over 14 days are
    rejected, and forecasts end 96 h after now. Forecasts are 10 higher than the truth.
    """

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        now_utc = self.now_utc()
        match asked.path.strip("/").split("/"):
            case ["intensity"]:
                first = slot_start(now_utc, _HALF_HOUR)
                return self._slots(first, first + _HALF_HOUR)
            case ["intensity", start, "fw48h"]:
                first = datetime.fromisoformat(start)
                return self._slots(first - _HALF_HOUR, min(first + timedelta(hours=48), now_utc + timedelta(hours=96)))
            case ["intensity", start, end]:
                first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
                if last - first <= timedelta(days=14):
                    return self._slots(first - _HALF_HOUR, last)
        return Answer('{"error": {"code": "400 Bad Request", "message": "no such range"}}', status=400)

    def _slots(self, first: datetime, end: datetime) -> Answer:
        points = []
        while first < end:
            points.append(Point(first, self.g_per_kwh(first)))
            first += _HALF_HOUR
        return Answer(
            json.dumps({"data": [self._slot(point) for point in self.alter(points)]}),
            headers={"Content-Type": "application/json"},
        )

    def _slot(self, point: Point) -> dict[str, object]:
        first, until = point.start_utc, point.start_utc + _HALF_HOUR
        actual = point.value if until <= self.now_utc() else None
        forecast = point.value + 10 if type(point.value) is int else point.value
        figures = {"forecast": forecast, "actual": actual, "index": "moderate"}
        return {"from": f"{first:%Y-%m-%dT%H:%MZ}", "to": f"{until:%Y-%m-%dT%H:%MZ}", "intensity": figures}
