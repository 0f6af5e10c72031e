"""The EIA's API, version 2, on loopback, traps included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point
from grid.testing.mixes import coal_mw, wind_mw

__all__ = ["LoopbackEia"]

_HOUR = timedelta(hours=1)


class LoopbackEia(Loopback):
    """Generation per fuel of whatever balancing authority is asked for; a key is wanted.

    Hours are named by their end, figures and the total are text, pages have `rows_per_page` rows at most, sun is a
    little below zero, a battery charges, oil is null throughout, and nothing has been reported of the hour that runs.

    Attributes:
        rows_per_page: as the real one: 5,000.
    """

    rows_per_page = 5_000

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        query = asked.query
        if not query.get("api_key"):
            return Answer('{"error": {"code": "API_KEY_MISSING", "message": "no key"}}', status=403)
        if asked.path != "/electricity/rto/fuel-type-data/data/":
            return Answer('{"error": "Not Found.", "code": 404}', status=404)
        rows = list(self._rows(query["facets[respondent][]"], _utc(query["start"]), _utc(query["end"])))
        offset = int(query["offset"])
        page = rows[offset : offset + min(self.rows_per_page, int(query["length"]))]
        response = {
            "total": str(len(rows)),
            "dateFormat": 'YYYY-MM-DD"T"HH24',
            "frequency": query["frequency"],
            "data": page,
        }
        return Answer(json.dumps({"response": response, "request": {"params": {}}, "apiVersion": "2.1.8"}))

    def _rows(self, respondent: str, first_end: datetime, last_end: datetime) -> Iterator[dict[str, Any]]:
        hour_utc = first_end - _HOUR
        points = []
        while hour_utc < min(last_end, slot_start(self.now_utc(), _HOUR)):
            points.append(Point(hour_utc, self.g_per_kwh(hour_utc), respondent))
            hour_utc += _HOUR
        for point in self.alter(list(points)):
            yield _row(point.start_utc, "COL", _text(coal_mw(point.value)), point.zone)
        for point in points:
            yield _row(point.start_utc, "BAT", "-250", respondent)
            yield _row(point.start_utc, "OIL", None, respondent)
            yield _row(point.start_utc, "SUN", "-3", respondent)
            yield _row(point.start_utc, "WND", _text(wind_mw(point.value)), respondent)


def _utc(period: str) -> datetime:
    return datetime.fromisoformat(period).replace(tzinfo=UTC)


def _text(mw: Any) -> Any:
    return str(mw) if type(mw) is float else mw


def _row(start_utc: datetime, fuel: str, value: Any, respondent: str | None) -> dict[str, Any]:
    return {
        "period": f"{start_utc + _HOUR:%Y-%m-%dT%H}",
        "respondent": respondent,
        "respondent-name": "A balancing authority",
        "fueltype": fuel,
        "type-name": fuel,
        "value": value,
        "value-units": "megawatthours",
    }
