"""Fakes for tests, ours and yours: a source that follows a script, a clock set by hand, and the UK API on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

from grid.clock import UtcNow, slot_start, utc_now
from grid.errors import SourceError
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.source import Capability
from grid.zones import check_known

__all__ = ["NOON", "Answer", "LoopbackUK", "ManualClock", "ScriptedSource", "reading"]

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_HALF_HOUR = timedelta(minutes=30)


def reading(
    g_per_kwh: float,
    *,
    zone: str = "GB",
    start_utc: datetime = NOON,
    slot_s: float = 1800.0,
    kind: Kind = "average",
    factors: Factors = "direct",
    status: Status = "actual",
    source: str = "scripted",
) -> Intensity:
    """A reading that was fetched when its span began."""
    return Intensity(
        zone=zone,
        start_utc=start_utc,
        end_utc=start_utc + timedelta(seconds=slot_s),
        g_per_kwh=g_per_kwh,
        kind=kind,
        factors=factors,
        status=status,
        source=source,
        fetched_at_utc=start_utc,
    )


class ManualClock:
    """A clock that stands still until it is moved; call it for the time."""

    def __init__(self, now_utc: datetime = NOON) -> None:
        self.now_utc = now_utc

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now_utc

    def advance(self, seconds: float) -> None:
        """Move it on, or back where `seconds` is negative."""
        self.now_utc += timedelta(seconds=seconds)


class ScriptedSource:
    """Plays its answers in order and repeats the last: a reading, a figure for the slot that holds now, or an error.

    It can give the latest reading only, for any known zone.

    Args:
        answers: what `latest` returns or raises, call by call; at least one.
        slot_s: length of the slots that figures are for, in s.

    Attributes:
        asked: how often `latest` was called.
        closed: whether `close` was called.
    """

    can: frozenset[Capability] = frozenset({"latest"})

    def __init__(self, *answers: Intensity | float | Exception, slot_s: float = 1800.0, name: str = "scripted") -> None:
        self.name = name
        self.slot_s = slot_s
        self.asked = 0
        self.closed = False
        self._answers = answers

    def check_zone(self, zone: str) -> None:
        """Accept every known zone."""
        check_known(zone)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The next answer."""
        self.check_zone(zone)
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Intensity):
            return answer
        start_utc = slot_start(now_utc, timedelta(seconds=self.slot_s))
        return reading(answer, zone=zone, start_utc=start_utc, slot_s=self.slot_s, source=self.name)

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:  # noqa: ARG002
        """Raise: it is not among `can`."""
        raise SourceError(f"{self.name} has no forecast")

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:  # noqa: ARG002
        """Raise: it is not among `can`."""
        raise SourceError(f"{self.name} has no history")

    def close(self) -> None:
        """Remember it."""
        self.closed = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a `LoopbackUK` answers instead of the truth.

    Attributes:
        body: sent as it is.
        status: HTTP status.
        headers: besides `Content-Length`.
        delivery: `whole`; `truncated`: less than announced; `silent`: nothing until the server stops; `drip`: a byte
            every 10 ms until the server stops.
    """

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Literal["whole", "truncated", "silent", "drip"] = "whole"


class LoopbackUK:
    """The UK Carbon Intensity API on a free loopback port, traps included; a context manager.

    Answers begin one slot before the asked start, `actual` is null for what has not ended, ranges over 14 days are
    rejected, and forecasts end 96 h after now.

    Args:
        now_utc: the server's clock.
        g_per_kwh: the truth, by the start of a slot; whole figures. Forecasts are 10 higher.

    Attributes:
        url: base URL, to be used as `uk+URL`.
        answer: given to every request while it is not None.
        paths: what was asked for, in order.
    """

    def __init__(self, *, now_utc: UtcNow = utc_now, g_per_kwh: Callable[[datetime], int] = lambda _: 200) -> None:
        self.answer: Answer | None = None
        self.paths: list[str] = []
        self._now_utc = now_utc
        self._g_per_kwh = g_per_kwh
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # so that closing waits for them and leaves no socket behind
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let go of waiting clients and stop."""
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                answer = outer.answer or outer._truth(self.path)
                try:
                    outer._deliver(self, answer)
                except ConnectionError:
                    self.close_connection = True  # the client has given up, as it should

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        return Handler

    def _deliver(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.delivery == "silent":
            self._stopped.wait()
            return
        body = answer.body.encode()
        endless = answer.delivery != "whole"
        request.send_response(answer.status)
        for key, value in {"Content-Length": str(len(body) + 1_000_000 * endless), **answer.headers}.items():
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(body)
        while answer.delivery == "drip" and not self._stopped.wait(0.01):
            request.wfile.write(b" ")

    def _truth(self, path: str) -> Answer:
        now_utc = self._now_utc()
        match path.strip("/").split("/"):
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
        data = []
        while first < end:
            truth, until = self._g_per_kwh(first), first + _HALF_HOUR
            actual = truth if until <= self._now_utc() else None
            figures = {"forecast": truth + 10, "actual": actual, "index": "moderate"}
            data.append({"from": f"{first:%Y-%m-%dT%H:%MZ}", "to": f"{until:%Y-%m-%dT%H:%MZ}", "intensity": figures})
            first = until
        return Answer(json.dumps({"data": data}), headers={"Content-Type": "application/json"})
