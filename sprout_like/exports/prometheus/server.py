"""`/metrics` on a port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from sprout_like.errors import SettingError

__all__ = ["PATH", "MetricsServer"]

PATH: Final = "/metrics"

_LOOPBACK: Final = ("127.0.0.1", "localhost")
_READ_TIMEOUT_S: Final = 10.0
# How long closing may take to be noticed.
_NOTICE_S: Final = 0.1

_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class MetricsServer:
    """Serves a registry until it is closed, each scrape in a thread of its own.

    Args:
        registry: what is collected. port: 0 for any free one. address: of this machine.

    Raises:
        SettingError: the port or the address cannot be had.
    """

    def __init__(self, registry: Collector, port: int, address: str) -> None:
        app = _guarded(make_wsgi_app(registry), address)
        try:
            self._server = make_server(address, port, app, ThreadingWSGIServer, _Handler)
        except (OSError, OverflowError) as exc:
            raise SettingError(
                "metrics_port",
                f"{address}:{port} cannot be served ({getattr(exc, 'strerror', None) or exc})",
                "Give each process a port of its own, 0 for any free one, or push to a gateway",
            ) from exc
        self.url = f"http://{address}:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_NOTICE_S,), name="sprout-like-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving. Safe to call twice."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(WSGIRequestHandler):
    timeout = _READ_TIMEOUT_S  # who sends half a request does not keep a thread

    def log_message(self, *_: object) -> None:
        """Nothing: scrapes come every few seconds."""


def _guarded(app: _App, address: str) -> _App:
    """The application at its path alone and, on loopback, for who asked for this machine by its name.

    A page in the user's browser can reach loopback ports under a name of its own (DNS rebinding); the name it gives
    tells it apart.
    """

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = str(environ.get("HTTP_HOST", "")).lower()
        host = given.rpartition(":")[0] or given
        if address.lower() in _LOOPBACK and host not in _LOOPBACK:
            return _refused(start_response, "403 Forbidden", "only for this machine, by its own name")
        if environ["PATH_INFO"] != PATH:
            return _refused(start_response, "404 Not Found", f"there is only {PATH}")
        return app(environ, start_response)

    return guarded


def _refused(start_response: Callable[..., Any], status: str, why: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return (f"{why}\n".encode(),)
