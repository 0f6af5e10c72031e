"""The `Retry-After` header."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from grid.clock import UtcNow

__all__ = ["retry_after_s"]

# About thirty years: what a date can be moved by.
_MAX_S = 1e9


def retry_after_s(header: str | None, now_utc: UtcNow) -> float | None:
    """What a `Retry-After` header asks us to wait, in s, 1e9 at most (RFC 9110, 10.2.3); None where it says nothing."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]+", header):
        return min(float(header), _MAX_S)
    try:
        when = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:  # "-0000": UTC, by an agent that does not tell where it is (RFC 5322, 3.3)
        when = when.replace(tzinfo=UTC)
    return min(max(0.0, (when - now_utc()).total_seconds()), _MAX_S)
