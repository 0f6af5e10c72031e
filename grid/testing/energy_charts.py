"""The Energy-Charts API on loopback, traps included."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point

__all__ = ["LoopbackEnergyCharts"]

_AHEAD = timedelta(hours=48)


class LoopbackEnergyCharts(Loopback):
    """The Energy-Charts API; use it as `energy-charts+URL`.

    The asked end is included. For what has ended, `co2eq` has a figure and `co2eq_forecast` is null; from then on it is
    the other way round, for 48 h, after which both are null. Forecasts are 10 higher than the truth. Without `start`,
    the answer is about today, which is the UTC day here and the country's own in the API.

    Attributes:
        slot: length of a slot.
    """

    slot = timedelta(minutes=15)

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        country = asked.query.get("country", "de")
        if country.upper() == country or len(country) > 3:
            return Answer(f"'{country}' is not the code for an available country. ", status=400)
        today = slot_start(self.now_utc(), timedelta(days=1))
        first = datetime.fromisoformat(asked.query.get("start", today.isoformat())).astimezone(UTC)
        end = datetime.fromisoformat(asked.query.get("end", (first + timedelta(days=1)).isoformat()))
        points = []
        start_utc = -(-(first - today) // self.slot) * self.slot + today
        while start_utc <= end:
            points.append(Point(start_utc, self.g_per_kwh(start_utc)))
            start_utc += self.slot
        return self._answer(self.alter(points))

    def _answer(self, points: list[Point]) -> Answer:
        now_utc = self.now_utc()
        ended = [point.start_utc + self.slot <= now_utc for point in points]
        known = [point.start_utc < now_utc + _AHEAD for point in points]
        ahead = [point.value + 10 if type(point.value) is int else point.value for point in points]
        document = {
            "unix_seconds": [int(point.start_utc.timestamp()) for point in points],
            "co2eq": [point.value if past else None for point, past in zip(points, ended, strict=True)],
            "co2eq_forecast": [
                figure if shown and not past else None for figure, shown, past in zip(ahead, known, ended, strict=True)
            ],
            "deprecated": False,
        }
        return Answer(json.dumps(document), headers={"Content-Type": "application/json"})
