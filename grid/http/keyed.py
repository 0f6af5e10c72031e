"""The last step before the network: keys go on here, below httpx' own log of URLs."""

from __future__ import annotations

import httpx

from grid.http.credentials import Credentials

__all__ = ["KeyedTransport"]


class KeyedTransport(httpx.BaseTransport):
    """Sends each request with the key on it, and leaves the request that httpx logs and keeps without.

    Args:
        inner: what reaches the network; None for httpx' own, made on first use.
        credentials: who we are.
    """

    def __init__(self, inner: httpx.BaseTransport | None, credentials: Credentials) -> None:
        self._inner = inner or httpx.HTTPTransport()
        self._credentials = credentials

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a copy with the key."""
        keyed = httpx.Request(
            request.method,
            request.url.copy_merge_params(dict(self._credentials.query())),
            headers={**request.headers, **self._credentials.headers()},
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(keyed)

    def close(self) -> None:
        """Close the network side."""
        self._inner.close()
