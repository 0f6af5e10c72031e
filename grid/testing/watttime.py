"""The WattTime API on loopback, traps included."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any, Literal

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point

__all__ = ["LoopbackWattTime"]

_STEP = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_TOKEN_VALID = timedelta(minutes=30)
_G_PER_LB = 453.59237
_JSON = {"Content-Type": "application/json"}


class LoopbackWattTime(Loopback):
    """WattTime v3; figures are in lbs/MWh, and the truth is that of both signals.

    Tokens end after 30 min, ends of ranges are inclusive, ranges over 32 days and horizons over 72 h are rejected, and
    `co2_aoer` has no forecast. Forecasts begin with the running five minutes.

    Attributes:
        user, password: the account it knows.
        faults: what `answer` and `next_answers` are given for: the data, or everything.
        units, signal_type: what answers say of themselves in place of the truth; None for the truth.
    """

    user = "wt-user-77"
    password = "wt-pass-3f09"  # noqa: S105
    faults: Literal["data", "all"] = "data"
    units = "lbs_co2_per_mwh"
    signal_type: str | None = None

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self._granted: dict[str, datetime] = {}

    @property
    def logins(self) -> int:
        """How often somebody logged in."""
        return len(self._granted)

    def revoke(self) -> None:
        """End all tokens now."""
        self._granted = {token: datetime.min.replace(tzinfo=until.tzinfo) for token, until in self._granted.items()}

    def answer_to(self, asked: Asked) -> Answer:
        """The truth for a login, unless that is to fail too."""
        if asked.path == "/login" and self.faults == "data":
            return self.truth(asked)
        return super().answer_to(asked)

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        now_utc = self.now_utc()
        if asked.path == "/login":
            return self._log_in(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._granted or self._granted[token] < now_utc:
            return Answer('{"error": "invalid or expired token"}', status=401, headers=_JSON)
        match asked.path:
            case "/v3/historical":
                start, end = (datetime.fromisoformat(asked.query[key]) for key in ("start", "end"))
                if end - start <= timedelta(days=32):
                    return self._answer(asked, start, min(end, now_utc))
            case "/v3/forecast" if asked.query["signal_type"] == "co2_moer":
                horizon_h = int(asked.query.get("horizon_hours", 24))
                first = slot_start(now_utc, _STEP)
                if 0 <= horizon_h <= 72:
                    return self._answer(asked, first, first + max(horizon_h * _HOUR - _STEP, timedelta(0)))
        return Answer('{"error": "no such data"}', status=400, headers=_JSON)

    def _log_in(self, asked: Asked) -> Answer:
        known = b64encode(f"{self.user}:{self.password}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {known}":
            return Answer('{"error": "unknown user or password"}', status=401, headers=_JSON)
        token = f"wt-token-{self.logins}"
        self._granted[token] = self.now_utc() + _TOKEN_VALID
        return Answer(json.dumps({"token": token}), headers=_JSON)

    def _answer(self, asked: Asked, first: datetime, last: datetime) -> Answer:
        start = slot_start(first + _STEP - timedelta.resolution, _STEP)
        points = []
        while start <= last:
            points.append(Point(start, round(self.g_per_kwh(start) * 1000 / _G_PER_LB, 9), asked.query["region"]))
            start += _STEP
        points = self.alter(points)
        meta: dict[str, object] = {
            "data_point_period_seconds": 300,
            "region": points[0].zone if points else asked.query["region"],
            "signal_type": self.signal_type or asked.query["signal_type"],
            "units": self.units,
            "model": {"date": "2023-03-01", "type": "binned_regression"},
            "warnings": [],
        }
        if asked.path == "/v3/forecast":
            meta |= {"generated_at": f"{self.now_utc():%Y-%m-%dT%H:%M:%SZ}", "generated_at_period_seconds": 300}
        data = [{"point_time": f"{point.start_utc:%Y-%m-%dT%H:%M:%SZ}", "value": point.value} for point in points]
        return Answer(json.dumps({"data": data, "meta": meta}), headers=_JSON)
