"""The way to the network: httpx' own libraries, with one time limit on all of a question and the user's proxy."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

__all__ = ["NetworkTransport", "checked_host"]

# As httpx has it: an idle connection that is older may have been forgotten on the way.
_KEEPALIVE_S = 5.0

_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class NetworkTransport(httpx.BaseTransport):
    """Asks one host. The time limit of a request is kept for connection, headers and body together.

    `httpx.HTTPTransport` limits each read alone: a server that sends a byte now and then would hold us for ever.
    The time to resolve a name cannot be limited, and a name with several addresses gets the limit for each.

    Args:
        url: the host, and where it matters for the proxy the port; see `urllib.request.getproxies` for those.
        monotonic_s: the clock of the limit.
        connections: most at once; further requests wait for one.

    Raises:
        OSError: the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names cannot be read.
        ValueError: the proxy that the environment names cannot be used.
    """

    def __init__(self, url: httpx.URL, *, monotonic_s: Callable[[], float], connections: int = 10) -> None:
        self._monotonic_s = monotonic_s
        backend = _Backend(monotonic_s)
        ssl_context = httpx.create_ssl_context() if url.scheme == "https" else None
        self._pool: httpcore.ConnectionPool
        if (proxy := _proxy_to(url)) is None:
            self._pool = httpcore.ConnectionPool(
                ssl_context=ssl_context,
                max_connections=connections,
                keepalive_expiry=_KEEPALIVE_S,
                network_backend=backend,
            )
        else:
            self._pool = httpcore.HTTPProxy(
                proxy_url=str(proxy.url),
                proxy_auth=proxy.raw_auth,
                ssl_context=ssl_context,
                max_connections=connections,
                keepalive_expiry=_KEEPALIVE_S,
                network_backend=backend,
            )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask; the body is still to be read, within what is left of the limit."""
        # httpcore hands these on to the streams below as they are; there, each is a time by which to be done.
        limits = request.extensions["timeout"]
        until_s = self._monotonic_s() + limits["read"]
        timeouts = {"connect": until_s, "read": until_s, "write": until_s, "pool": limits["pool"]}
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={**request.extensions, "timeout": timeouts},
        )
        try:
            answer = self._pool.handle_request(asked)
        except _CORE_ERRORS as exc:
            raise _as_httpx(exc) from exc
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except _CORE_ERRORS as exc:
            raise _as_httpx(exc) from exc

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore.SyncBackend):
    """Connections whose `timeout` everywhere is a time by which to be done."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, self._monotonic_s, httpcore.ConnectTimeout)
        stream = super().connect_tcp(host, port, left_s, local_address, socket_options)
        return _Stream(stream, self._monotonic_s)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, monotonic_s: Callable[[], float]) -> None:
        self._inner = inner
        self._monotonic_s = monotonic_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left_s(timeout, self._monotonic_s, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left_s(timeout, self._monotonic_s, httpcore.WriteTimeout))

    def close(self) -> None:
        sock = self._inner.get_extra_info("socket")
        if sock is not None:
            # Closing alone would leave a thread that reads from it waiting until its time is over.
            with contextlib.suppress(OSError):  # not connected any more
                sock.shutdown(socket.SHUT_RDWR)
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, self._monotonic_s, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left_s), self._monotonic_s)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left_s(until_s: float | None, monotonic_s: Callable[[], float], late: type[Exception]) -> float | None:
    if until_s is None:
        return None
    if (left_s := until_s - monotonic_s()) <= 0:
        raise late("too late")
    return left_s


def _as_httpx(exc: Exception) -> httpx.TransportError:
    kind: type[httpx.TransportError] = getattr(httpx, type(exc).__name__, httpx.TransportError)
    return kind(str(exc))


def _proxy_to(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment names for a URL; None for none."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named or proxy_bypass(url.netloc.decode("ascii")):
        return None
    try:
        proxy = httpx.Proxy(named if "://" in named else f"http://{named}")
        if proxy.url.scheme not in ("http", "https"):
            raise ValueError("not an HTTP proxy")
        checked_host(proxy.url)
    except httpx.InvalidURL as exc:
        raise ValueError("not a URL") from exc
    return proxy


def checked_host(url: httpx.URL) -> str:
    """The host, as people write it.

    Raises:
        ValueError: no host can be called that.
    """
    if not url.host or not url.raw_host.decode("ascii").encode("idna"):
        raise ValueError("no host")
    return url.host
