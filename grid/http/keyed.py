"""The last step before the network: keys go on here, below httpx' own log of URLs."""

from __future__ import annotations

import httpx

from grid.http.credentials import Credentials

__all__ = ["KeyedTransport"]


class KeyedTransport(httpx.BaseTransport):
    """Sends each request with the key on it, and leaves the request that httpx logs and keeps without.

    Args:
        inner: what reaches the network.
        credentials: who we are.
    """

    def __init__(self, inner: httpx.BaseTransport, credentials: Credentials) -> None:
        self._inner = inner
        self._credentials = credentials

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a copy with the key."""
        answer = self._answer_or_error(request)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    def _answer_or_error(self, request: httpx.Request) -> httpx.Response | httpx.TransportError:
        # Raised from here, an error would carry the key: reports with local variables show those of every frame below.
        keyed = httpx.Request(
            request.method,
            request.url.copy_merge_params(dict(self._credentials.query())),
            headers={**request.headers, **self._credentials.headers()},
            stream=request.stream,
            extensions=request.extensions,
        )
        try:
            return self._inner.handle_request(keyed)
        except httpx.TransportError as exc:
            exc.__cause__ = exc.__context__ = None
            return exc.with_traceback(None)

    def close(self) -> None:
        """Close the network side."""
        self._inner.close()
