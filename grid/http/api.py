"""One HTTP API: the key on, the limits kept, HTTP's errors made ours, asked again where that helps."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from grid.clock import UtcNow, utc_now
from grid.errors import BadData, NoData, SourceDown, SourceError, SourceRefused, SourceSpecError
from grid.http.breaker import Breaker
from grid.http.credentials import Credentials, NoKey
from grid.http.keyed import KeyedTransport
from grid.http.masking import MaskingFilter, masked
from grid.http.network import NetworkTransport, checked_host
from grid.http.process import PerProcess
from grid.http.retry_after import retry_after_s
from grid.http.retrying import Retrying

__all__ = ["HttpApi", "Judge"]

Judge = Callable[[int, bytes], SourceError | None]
"""From a status and a body to what is wrong with the answer; None where the general rules say it."""

Query = Mapping[str, str | int | float]

# A year of European production per fuel, as XML, is the longest answer any source gives us.
_MAX_BODY_BYTES = 20_000_000

# The four roots of everything httpx raises; a test proves it.
_HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)

_uniform = random.SystemRandom().random

_LOG_OF_ANSWERS = logging.getLogger("httpcore.http11")

_LONGEST_QUOTE = 160
_TIMEOUTS_PER_QUESTION = 3
_LONGEST_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Question:
    path: str
    query: Query = field(default_factory=dict)
    posted: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Here:
    """What belongs to one process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)
    client: httpx.Client | None = None


class HttpApi:
    """An HTTP API at one base URL. Safe to use from several threads; connects on first use.

    Args:
        base_url: `http://` or `https://`, without user name, query or fragment.
        name: the source's name, for messages.
        timeout_s: limit on an attempt, from connecting to the last byte, in s, an hour at most. A question with its
            retries ends within three times that, a login within three times that again.
        now_utc: the clock that dates in `Retry-After` are compared with, and that the breaker goes by.
        transport: in place of the network; limits the time itself.
        credentials: who we are.
        judge: the source's own rules about answers; asked about every answer, before the general rules.
        retrying: when a question is asked again.
        breaker: remembers that the source is down.
        connections: most at once; further questions wait for one, within their time.
        quoting: whether errors repeat the source's own words; False where these may repeat what we sent, and that is
            nobody's business.
        monotonic_s, sleep, uniform: the clock of time limits, the waiting between attempts (None: a wait that `close`
            ends) and the draw of its length.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used; the message does not repeat a URL with credentials.
    """

    def __init__(
        self,
        *,
        base_url: str,
        name: str,
        timeout_s: float = 10.0,
        now_utc: UtcNow = utc_now,
        transport: httpx.BaseTransport | None = None,
        credentials: Credentials | None = None,
        judge: Judge = lambda _status, _body: None,
        retrying: Retrying | None = None,
        breaker: Breaker | None = None,
        connections: int = 10,
        quoting: bool = True,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[], float] = _uniform,
    ) -> None:
        self._base_url = _checked(base_url, name)
        if not 0 < timeout_s <= _LONGEST_TIMEOUT_S:  # false for NaN too
            raise SourceSpecError(f"{name}: timeout_s is {timeout_s}; it must be more than 0 s, and an hour at most")
        self._name = name
        self._timeout_s = timeout_s
        self._now_utc = now_utc
        self._transport = transport
        self._credentials = credentials or NoKey()
        self._judge = judge
        self._retrying = retrying or Retrying()
        self._breaker = breaker or Breaker()
        self._connections = connections
        self._quoting = quoting
        self._monotonic_s = monotonic_s
        self._uniform = uniform
        self._closed = False
        self._here = PerProcess(_Here)
        self._sleep = sleep or (lambda wait_s: self._here().ended.wait(wait_s))
        self._log_filter = MaskingFilter(self._credentials.secrets)

    def get_json(self, path: str, query: Query | None = None) -> Any:
        """The JSON document at `path`; numbers are floats or ints, `NaN` and `Infinity` are floats.

        Raises:
            BadData: not JSON.
            SourceError: see `get`.
        """
        return self._parsed(path, self.get(path, query))

    def post_json(self, path: str, posted: Mapping[str, Any]) -> Any:
        """The JSON document that `path` answers to another one; asked again as in `get`, so it must do no harm twice.

        Raises:
            BadData: not JSON.
            SourceError: see `get`.
        """
        return self._parsed(path, self._answer(_Question(path, posted=posted)))

    def get(self, path: str, query: Query | None = None) -> bytes:
        """The body at `path`.

        Raises:
            SourceRefused: 401, after a new login where there is one, or 403.
            SourceDown: no answer in time, a broken connection, 408, 429 or 5xx, after retries; or it has been down
                lately and is not asked now.
            BadData: far too long.
            NoData: 404.
            SourceError: any other answer, or this object is closed; and whatever `judge` says.
        """
        return self._answer(_Question(path, query or {}))

    def _answer(self, question: _Question) -> bytes:
        asked_s = self._now_s()
        if (left_alone_s := self._breaker.closed_for_s(asked_s)) > 0:
            said = f"{self._name}: it was down lately and is left alone for another {left_alone_s:.0f} s"
            raise SourceDown(said, retry_after_s=left_alone_s)
        deadline_s = self._monotonic_s() + _TIMEOUTS_PER_QUESTION * self._timeout_s
        try:
            body = self._asked_until(deadline_s, question)
        except SourceDown as exc:
            self._breaker.failed(asked_s, self._now_s(), exc.retry_after_s)
            raise
        except SourceError:
            self._breaker.succeeded(self._now_s())  # it is there, whatever it said
            raise
        self._breaker.succeeded(self._now_s())
        return body

    def close(self) -> None:
        """Release connections and end waits; safe to call twice. Later requests raise `SourceError`."""
        here = self._here()
        with here.lock:
            self._closed = True
            here.ended.set()
            client, here.client = here.client, None
        if client is not None:
            client.close()
            _LOG_OF_ANSWERS.removeFilter(self._log_filter)

    def _now_s(self) -> float:
        return self._now_utc().timestamp()

    def _asked_until(self, deadline_s: float, question: _Question) -> bytes:
        failed, renewed = 0, False
        while True:
            try:
                return self._ask(question, deadline_s)
            except SourceRefused as exc:
                if renewed or not exc.unknown_key or not self._credentials.renew():
                    raise
                renewed = True
            except SourceError as exc:
                failed += 1
                left_s = deadline_s - self._monotonic_s()
                wait_s = self._retrying.wait_s(failed, exc, left_s=left_s, uniform=self._uniform())
                if wait_s is None or self._closed:
                    if failed > 1 and isinstance(exc, SourceDown):
                        said = f"{exc}, asked {failed} times"
                        raise SourceDown(said, retry_after_s=exc.retry_after_s) from exc.__cause__
                    raise
                self._sleep(wait_s)

    def _ask(self, question: _Question, deadline_s: float) -> bytes:
        client, path, posted = self._opened(), question.path, question.posted
        method = "GET" if posted is None else "POST"
        timeout_s = max(0.001, min(self._timeout_s, deadline_s - self._monotonic_s()))
        try:
            with client.stream(method, path, params=dict(question.query), json=posted, timeout=timeout_s) as response:
                body = self._body(response, path)
        except _HTTPX_ERRORS as exc:
            raise self._translated(exc) from exc
        except RuntimeError as exc:
            if not self._closed:
                raise
            raise SourceError(f"{self._name}: closed while asking") from exc  # how httpx says it
        if (problem := self._judge(response.status_code, body)) is not None:
            raise problem
        self._check_status(response, body, path)
        return body

    def _opened(self) -> httpx.Client:
        here = self._here()
        with here.lock:
            if self._closed:
                raise SourceError(f"{self._name}: closed")
            if here.client is None:
                here.client = httpx.Client(
                    base_url=self._base_url,
                    transport=KeyedTransport(self._transport or self._network(), self._credentials),
                    headers={"Accept": "*/*", "User-Agent": "sprout-like"},
                )
                # At level DEBUG httpcore logs the headers of answers, and a `Location` may repeat a key from the URL.
                # Its loggers are the only place where that can be masked; the filter is gone when this is closed.
                _LOG_OF_ANSWERS.addFilter(self._log_filter)
            return here.client

    def _network(self) -> httpx.BaseTransport:
        try:
            return NetworkTransport(self._base_url, monotonic_s=self._monotonic_s, connections=self._connections)
        except OSError as exc:
            said = f"the certificates cannot be read ({exc}); check SSL_CERT_FILE and SSL_CERT_DIR"
            raise SourceError(f"{self._name}: {said}") from exc
        except ValueError:
            variable = f"{self._base_url.scheme.upper()}_PROXY or ALL_PROXY"
            said = f"the proxy in {variable} cannot be used; give http://HOST:PORT, or name the host in NO_PROXY"
            raise SourceError(f"{self._name}: {said}") from None  # a proxy's URL may hold a password

    def _parsed(self, path: str, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as exc:
            words = self._quoted(body) or "something"
            # The parser's own error holds all of what it was given.
            cause = exc if self._quoting else None
            raise BadData(f"{self._name}: {path} answered {words}, which is not JSON") from cause

    def _body(self, response: httpx.Response, path: str) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MAX_BODY_BYTES:
                raise BadData(f"{self._name}: {path} answered more than {_MAX_BODY_BYTES} bytes")
        return bytes(body)

    def _check_status(self, response: httpx.Response, body: bytes, path: str) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        words = self._quoted(body)
        said = f"{self._name}: {path} answered {status} {response.reason_phrase}".rstrip()
        said = f"{said} ({words})" if words else said
        match status:
            case httpx.codes.UNAUTHORIZED:
                raise SourceRefused(f"{said}: it does not know us; check the key", unknown_key=True)
            case httpx.codes.FORBIDDEN:
                raise SourceRefused(f"{said}: it does not serve us that; check the key, the plan and the proxy")
            case httpx.codes.NOT_FOUND:
                raise NoData(f"{said}: it has nothing there; check the zone and the base URL")
            case httpx.codes.REQUEST_TIMEOUT | httpx.codes.TOO_MANY_REQUESTS:
                pass
            case _ if status < 500:
                raise SourceError(f"{said}; check the base URL and what was asked for")
        raise SourceDown(said, retry_after_s=retry_after_s(response.headers.get("Retry-After"), self._now_utc))

    def _quoted(self, body: bytes) -> str:
        """The source's own words, short, on one line and without our secrets; empty where they are not to be told."""
        if not self._quoting:
            return ""
        # Before anything is cut, so that no half of a secret is left.
        text = masked(body.decode("utf-8", "replace"), self._credentials.secrets())
        text = " ".join(text[:2_000].split())
        if text.lower().startswith(("<!doctype html", "<html")):
            return "an HTML page"
        return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"

    def _translated(self, exc: Exception) -> SourceError:
        # A transport error's text is the system's ("Connection refused") or what was no HTTP; that of the others may
        # hold the URL.
        host = self._base_url.host
        match exc:
            case httpx.TimeoutException():
                return SourceDown(f"{self._name}: no whole answer from {host} within {self._timeout_s:g} s")
            case httpx.NetworkError() | httpx.ProxyError() | httpx.RemoteProtocolError():
                words = self._quoted(str(exc).encode()) or type(exc).__name__
                return SourceDown(f"{self._name}: no answer from {host} ({words})")
            case httpx.DecodingError():
                return BadData(f"{self._name}: the answer's compression is broken")
            case _:
                return SourceError(f"{self._name}: asking {host} failed ({type(exc).__name__})")


def _checked(base_url: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as exc:
        raise SourceSpecError(f"{name}: the base URL cannot be understood; give http://HOST:PORT") from exc
    if url.userinfo or url.query or url.fragment:
        raise SourceSpecError(f"{name}: the base URL must not hold a user name, a query or a fragment")
    try:
        checked_host(url)
    except ValueError as exc:
        raise SourceSpecError(f"{name}: the base URL {base_url!r} names no host") from exc
    if url.scheme not in ("http", "https"):
        raise SourceSpecError(f"{name}: the base URL {base_url!r} is not http://HOST:PORT or https://HOST")
    return url
