"""The HTTP server: one socket, one event loop, no logs of what is asked."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sprout_like.errors import SettingError

__all__ = ["Server", "listen"]

_LOG: Final = logging.getLogger("sprout_like.dashboard.http")

_GRACE_S: Final = 2
_HEAD_S: Final = 10.0
_AT_ONCE: Final = 100


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; on port 0, at a free one. `::` is every address, those of IPv4 too.

    Raises:
        SettingError: the port is taken, or the address is none of this machine's.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        every = address[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address[:2], family=family, dualstack_ipv6=every)
    except (OSError, OverflowError, UnicodeError) as exc:
        problem = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise SettingError(
            "dashboard", f"cannot listen at {host} port {port}: {problem}", "Give another --port (0: any) or --host"
        ) from exc


class Server:
    """Serves an application on a socket until it is stopped; `run` may be called once, in any thread.

    Args:
        app: what to serve. listening: from `listen`; closed at the end.
        started: called once requests are answered.
        ending: called by whatever stops it, a signal among them, before requests under way are waited for.
        head_s: how long a connection may take to say what it wants, in s; then it is closed, so that a hundred that
            say nothing do not keep everybody else out.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *,
        started: Callable[[], object],
        ending: Callable[[], object],
        head_s: float = _HEAD_S,
    ) -> None:
        _LOG.setLevel(logging.ERROR)
        # h11 alone, whose limits on what comes in are known.
        config = uvicorn.Config(
            app,
            log_config=None,
            http=type("_Protocol", (_Protocol,), {"head_s": head_s}),
            ws="none",
            lifespan="off",
            loop="asyncio",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = _Telling(config, started, ending)
        self._ending = ending
        self._socket = listening

    def run(self) -> None:
        """Serve."""
        try:
            self._server.run(sockets=[self._socket])
        except asyncio.CancelledError:  # what was cut short after the time of grace
            pass
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`, from any thread or signal handler; requests under way have two seconds left."""
        self._ending()
        self._server.should_exit = True


class _Protocol(H11Protocol):
    """Waits for the head of a request as long as it may take, and no longer.

    It writes no access log, whoever configures logging in this process and how: it would hold tokens.
    Nor does it warn of what others send: what is no HTTP, or asks for a WebSocket, is no fault of the user's.
    """

    head_s = _HEAD_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self.logger = _LOG
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._mind_the_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind_the_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._mind_the_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _mind_the_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        elif self._timer is None:
            self._timer = self.loop.call_later(self.head_s, self.transport.close)


class _Telling(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], object], ending: Callable[[], object]) -> None:
        super().__init__(config)
        self._tell = started
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._tell()
