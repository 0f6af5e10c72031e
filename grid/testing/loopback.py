"""An HTTP API on a free loopback port, to be told what to get wrong."""

from __future__ import annotations

import contextlib
import gzip
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

__all__ = ["Answer", "Asked", "Delivery", "Loopback", "Point"]


Delivery = Literal[
    "whole", "truncated", "reset", "silent", "drip", "drip-header", "drip-extension", "early-hints", "empty-gzip"
]

_OK = b"HTTP/1.1 200 OK\r\n"
# What is sent first, and what again and again. The last is an empty block of a gzip file (RFC 1951, 3.2.4).
_ENDLESS: Mapping[Delivery, tuple[bytes, bytes]] = {
    "drip": (_OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "drip-header": (_OK + b"X-Header: ", b"a"),
    "drip-extension": (_OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "early-hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "empty-gzip": (
        _OK + b"Content-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n" + gzip.compress(b"")[:10],
        b"\x00\x00\x00\xff\xff",
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers.

    Attributes:
        body: sent as it is.
        status: HTTP status.
        headers: besides `Content-Length`.
        delivery: `whole`; `truncated`: less than announced; `reset`: the connection is reset; `silent`: nothing until
            the server stops; the others send something every 10 ms until then: a byte of the body (`drip`), of a header
            (`drip-header`) or of the extension of a chunk (`drip-extension`), `103 Early Hints` (`early-hints`), or
            compressed nothing (`empty-gzip`).
    """

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in.

    Attributes:
        path: without the query.
        query: the last value of each parameter.
        headers: names in lower case.
        body: what was posted; empty where it was a GET.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str = ""


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


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them and leaves no socket behind

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember the connection: one that is kept alive would keep its thread."""
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address


class Loopback:
    """The server; a context manager. Subclasses say what the API answers. Connections are kept alive.

    Args:
        now_utc: the server's clock.
        g_per_kwh: the truth, by the start of a slot.

    Attributes:
        url: base URL.
        answer: given to every request while it is not None.
        next_answers: given first, one request each, in order.
        alter: what it makes of the points of every answer before it sends them.
        rewrite: what it makes of every true answer before it sends it.
        asked: the requests, in order.
    """

    def __init__(self, *, now_utc: UtcNow = utc_now, g_per_kwh: Callable[[datetime], float] = lambda _: 200) -> None:
        self.answer: Answer | None = None
        self.next_answers: list[Answer] = []
        self.alter: Callable[[list[Point]], list[Point]] = lambda points: points
        self.rewrite: Callable[[Answer], Answer] = lambda answer: answer
        self.asked: list[Asked] = []
        self.now_utc = now_utc
        self.g_per_kwh = g_per_kwh
        self._stopped = threading.Event()
        self._server = _Server(self._handler())
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
        self.hang_up()
        self._server.server_close()

    def hang_up(self) -> None:
        """End every connection."""
        for connection in self._server.connections:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self._server.connections)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def truth(self, asked: Asked) -> Answer:
        """What the API answers where nothing is wrong with it."""
        raise NotImplementedError

    def answer_to(self, asked: Asked) -> Answer:
        """What is sent: what was set to be sent, else the truth."""
        return self.next_answers.pop(0) if self.next_answers else self.answer or self.rewrite(self.truth(asked))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or every answer on a kept connection takes 40 ms

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the client has given up, as it should
                    super().handle()

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                asked = Asked(url.path, query, {key.lower(): value for key, value in self.headers.items()}, body)
                outer.asked.append(asked)
                outer._deliver(self, outer.answer_to(asked))

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        return Handler

    def _deliver(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        request.close_connection = request.close_connection or answer.delivery != "whole"
        if answer.delivery == "silent":
            self._stopped.wait()
            return
        if answer.delivery in _ENDLESS:
            first, again = _ENDLESS[answer.delivery]
            request.wfile.write(first)
            while not self._stopped.wait(0.01):
                request.wfile.write(again)
            return
        if answer.delivery == "reset":
            # Closing a socket that lingers for 0 s sends RST in place of FIN.
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            return
        body = answer.body.encode()
        announced = len(body) + 1_000_000 * (answer.delivery == "truncated")
        request.send_response(answer.status)
        for key, value in {"Content-Length": str(announced), **answer.headers}.items():
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(body)
