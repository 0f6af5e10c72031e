"""How a source reaches its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from grid.clock import UtcNow
from grid.http.retrying import Retrying

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpOptions"]


class HttpOptions(TypedDict, total=False):
    """Keyword arguments of every source that asks over HTTP.

    Attributes:
        base_url: the API, or something that answers like it; the provider's own where absent.
        timeout_s: limit on an attempt, from connecting to the last byte, in s; 10 where absent. A question with its
            retries ends within three times that.
        now_utc: the clock that stamps when a figure was fetched; the machine's own where absent.
        transport: in place of the network.
        retrying: when a question is asked again; three attempts where absent or None.
    """

    base_url: str
    timeout_s: float
    now_utc: UtcNow
    transport: httpx.BaseTransport | None
    retrying: Retrying | None
