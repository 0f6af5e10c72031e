"""What stands before every answer: who may ask, in which way, and what a browser may do with the answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sprout_like.dashboard.access import Access

__all__ = ["LOOPBACK", "Guard", "Hosts", "host_name", "is_loopback"]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_MOST_HEADER_BYTES: Final = 16 * 1024

# Stricter than what URLs may hold (RFC 3986, 3.2.2): user names and percent signs have no place in a `Host`.
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[0-9a-z._-]+))(?::\d{1,5})?")

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names by which the page may be asked for: a browser that was led here by another is turned away.

    A site of somebody else whose name suddenly resolves to this machine (DNS rebinding) still says its own name.

    Attributes:
        names: host names and addresses, in lower case, without brackets.
        any_address: whether every IP address will do, as nobody can lend a name to one.
    """

    names: Collection[str]
    any_address: bool = False

    def allow(self, host: str) -> bool:
        """Whether a `Host` header, port included, names this server."""
        name = host_name(host)
        return name is not None and (name in self.names or (self.any_address and _is_address(name)))


class Guard:
    """Refuses what nobody who merely looks at the page would send, then asks for the token, then hands on.

    Args:
        app: answers what is let through.
        hosts: names of this server.
        access: who may look; None for everybody who reaches this machine's loopback.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, access: Access | None) -> None:
        self._app = app
        self._hosts = hosts
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer: ASGIApp = self._refusal(scope) or self._unadmitted(scope) or self._app
        await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _size(scope) > _MOST_HEADER_BYTES:
            return _refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if scope["method"] not in ("GET", "HEAD"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        if len(headers.getlist("host")) != 1 or not self._hosts.allow(headers["host"]):
            return _refused(HTTPStatus.MISDIRECTED_REQUEST)
        if _is_foreign(headers, scope["path"]):
            return _refused(HTTPStatus.FORBIDDEN)
        return None

    def _unadmitted(self, scope: Scope) -> Response | None:
        if self._access is None or self._access.admits(Headers(scope=scope).get("cookie", "")):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        # A HEAD asks what there is: it must not use a token up.
        opens = scope["path"] == "/" and scope["method"] == "GET"
        session = self._access.exchange(given) if opens and given else None
        if session is None:
            return PlainTextResponse(
                "This page needs the URL that `sprout-like dashboard` printed. Each is good once.\n",
                HTTPStatus.UNAUTHORIZED,
            )
        found = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        found.set_cookie(self._access.cookie, session, httponly=True, samesite="strict", path="/")
        return found


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen at."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def host_name(host: str) -> str | None:
    """The name in `NAME:PORT`, in lower case and without brackets; None where it is malformed."""
    found = _HOST.fullmatch(host.lower())
    return found and (found["address"] or found["name"])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_foreign(headers: Headers, path: str) -> bool:
    """Whether a page of another origin asks, as far as the browser says so; of the page itself, a link is welcome."""
    origin = headers.get("origin")
    # As browsers write it (RFC 6454, 6.2); not taken apart, as what others write need not be an address.
    if origin is not None and origin.partition("://")[2].lower() != headers["host"].lower():
        return True
    return path != "/" and headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _size(scope: Scope) -> int:
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(name) + len(value) for name, value in pairs)


def _refused(status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    # What was announced of a body is not read: the connection cannot be used again.
    return PlainTextResponse(f"{status.phrase}\n", status, {**(headers or {}), "Connection": "close"})
