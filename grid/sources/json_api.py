"""Ask a JSON API over HTTP: one client, one deadline, one size limit, and one place where HTTP's errors become ours."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from grid.clock import UtcNow
from grid.errors import BadData, SourceDown, SourceError, SourceRefused, SourceSpecError

__all__ = ["JsonApi", "retry_after_s"]

# The longest answer we ask any source for, two weeks of half hours, is 80 kB.
_MAX_BODY_BYTES = 2_000_000

# The four roots of everything httpx raises; a test proves it.
_HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


class JsonApi:
    """A JSON API at one base URL. Safe to use from several threads; connects on first use.

    Args:
        base_url: `http://` or `https://`, without user name, query or fragment.
        name: the source's name, for messages.
        timeout_s: limit on each wait for the network, and on the body as a whole, in s.
        now_utc: the clock that dates in `Retry-After` are compared with.
        transport: in place of the network.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used; the message does not repeat a URL with credentials.
    """

    def __init__(
        self, base_url: str, *, name: str, timeout_s: float, now_utc: UtcNow, transport: httpx.BaseTransport | None
    ) -> None:
        self._base_url = _checked(base_url, name)
        if not timeout_s > 0:
            raise SourceSpecError(f"{name}: timeout_s is {timeout_s}; it must be more than 0 s")
        self._name = name
        self._timeout_s = timeout_s
        self._now_utc = now_utc
        self._transport = transport
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._closed = False

    def get(self, path: str) -> Any:
        """The JSON document at `path`.

        Raises:
            SourceRefused: 401 or 403.
            SourceDown: no answer in time, a broken connection, 408, 429 or 5xx.
            BadData: not JSON, or far too long.
            SourceError: any other answer, or this object is closed.
        """
        client = self._opened()
        try:
            with client.stream("GET", path) as response:
                self._check_status(response, path)
                body = self._body(response, path)
        except _HTTPX_ERRORS as exc:
            raise self._translated(exc) from exc
        except RuntimeError as exc:
            if not self._closed:
                raise
            raise SourceError(f"{self._name}: closed while asking") from exc  # how httpx says it
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as exc:
            raise BadData(f"{self._name}: {path} answered {body[:40]!r}…, which is not JSON") from exc

    def close(self) -> None:
        """Release connections; safe to call twice. Later requests raise `SourceError`."""
        with self._lock:
            self._closed = True
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._closed:
                raise SourceError(f"{self._name}: closed")
            if self._client is None:
                self._client = httpx.Client(
                    base_url=self._base_url,
                    timeout=self._timeout_s,
                    transport=self._transport,
                    headers={"Accept": "application/json", "User-Agent": "sprout-like"},
                )
            return self._client

    def _check_status(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        said = f"{self._name}: {path} answered {status} {response.reason_phrase}".rstrip()
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SourceRefused(f"{said}: it does not serve us; check the key, the plan and the proxy")
        if status >= 500 or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS):
            raise SourceDown(said, retry_after_s=retry_after_s(response.headers.get("Retry-After"), self._now_utc))
        raise SourceError(f"{said}; check the base URL")

    def _body(self, response: httpx.Response, path: str) -> bytes:
        # httpx limits each read, not their sum: a server that sends a byte now and then would hold us for ever.
        deadline_s = time.monotonic() + self._timeout_s
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MAX_BODY_BYTES:
                raise BadData(f"{self._name}: {path} answered more than {_MAX_BODY_BYTES} bytes")
            if time.monotonic() > deadline_s:
                raise SourceDown(f"{self._name}: {path} did not finish its answer within {self._timeout_s:g} s")
        return bytes(body)

    def _translated(self, exc: Exception) -> SourceError:
        # The text of a transport error is the system's ("Connection refused"); that of the others may hold the URL.
        match exc:
            case httpx.TimeoutException():
                return SourceDown(f"{self._name}: no answer from {self._base_url.host} within {self._timeout_s:g} s")
            case httpx.NetworkError() | httpx.ProxyError() | httpx.RemoteProtocolError():
                return SourceDown(f"{self._name}: no answer from {self._base_url.host} ({exc})")
            case httpx.DecodingError():
                return BadData(f"{self._name}: the answer's compression is broken")
            case _:
                return SourceError(f"{self._name}: asking {self._base_url.host} failed ({type(exc).__name__})")


def retry_after_s(header: str | None, now_utc: UtcNow) -> float | None:
    """What a `Retry-After` header asks us to wait, in s; None where it is absent or says nothing (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:  # "-0000": UTC, by an agent that does not tell where it is (RFC 5322, 3.3)
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now_utc()).total_seconds())


def _checked(base_url: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as exc:
        raise SourceSpecError(f"{name}: the base URL cannot be understood; give http://HOST:PORT") from exc
    if url.userinfo or url.query or url.fragment:
        raise SourceSpecError(f"{name}: the base URL must not hold a user name, a query or a fragment")
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceSpecError(f"{name}: the base URL {base_url!r} is not http://HOST:PORT or https://HOST")
    return url
