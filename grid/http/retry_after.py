"""The `Retry-After` header."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from grid.clock import UtcNow

__all__ = ["retry_after_s"]


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
