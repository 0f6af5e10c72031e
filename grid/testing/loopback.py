"""An HTTP API on a free loopback port, to be told what to get wrong."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from grid.clock import UtcNow, utc_now

__all__ = ["Answer", "Asked", "Loopback", "Point"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers.

    Attributes:
        body: sent as it is.
        status: HTTP status.
        headers: besides `Content-Length`.
        delivery: `whole`; `truncated`: less than announced; `silent`: nothing until the server stops; `drip`: a byte
            every 10 ms until the server stops; `reset`: the connection is reset.
    """

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Literal["whole", "truncated", "silent", "drip", "reset"] = "whole"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in.

    Attributes:
        path: without the query.
        query: the last value of each parameter.
        headers: names in lower case.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """One slot as it is about to be sent.

    Attributes:
        start_utc: its start.
        value: what stands where the figure belongs: the figure in the API's own unit, or anything else.
        zone: the zone that the answer says it is for, in the API's own words; None where the API says none.
    """

    start_utc: datetime
    value: Any
    zone: str | None = None


class Loopback:
    """The server; a context manager. Subclasses say what the API answers.

    Args:
        now_utc: the server's clock.
        g_per_kwh: the truth, by the start of a slot.

    Attributes:
        url: base URL.
        answer: given to every request while it is not None.
        next_answers: given first, one request each, in order.
        alter: what it makes of the points of every answer before it sends them.
        asked: the requests, in order.
    """

    def __init__(self, *, now_utc: UtcNow = utc_now, g_per_kwh: Callable[[datetime], float] = lambda _: 200) -> None:
        self.answer: Answer | None = None
        self.next_answers: list[Answer] = []
        self.alter: Callable[[list[Point]], list[Point]] = lambda points: points
        self.asked: list[Asked] = []
        self.now_utc = now_utc
        self.g_per_kwh = g_per_kwh
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

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def truth(self, asked: Asked) -> Answer:
        """What the API answers where nothing is wrong with it."""
        raise NotImplementedError

    def answer_to(self, asked: Asked) -> Answer:
        """What is sent: what was set to be sent, else the truth."""
        return self.next_answers.pop(0) if self.next_answers else self.answer or self.truth(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
                asked = Asked(url.path, query, {key.lower(): value for key, value in self.headers.items()})
                outer.asked.append(asked)
                try:
                    outer._deliver(self, outer.answer_to(asked))
                except ConnectionError:
                    self.close_connection = True  # the client has given up, as it should

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        return Handler

    def _deliver(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.delivery == "silent":
            self._stopped.wait()
            return
        if answer.delivery == "reset":
            request.close_connection = True
            # Closing a socket that lingers for 0 s sends RST in place of FIN.
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
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
