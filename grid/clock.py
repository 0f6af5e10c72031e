"""UTC time, injected wherever it is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["UtcNow", "slot_start", "utc_now"]

UtcNow = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """The machine's own clock, in UTC."""
    return datetime.now(UTC)


def slot_start(when_utc: datetime, slot: timedelta) -> datetime:
    """The start of the slot that holds `when_utc`, counting slots from 1970-01-01 00:00 UTC."""
    return when_utc.astimezone(UTC) - (when_utc - _EPOCH) % slot
