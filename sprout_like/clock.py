"""Time, injected: stamps in UTC, durations from a monotonic clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time of day and measures durations."""

    def now_utc(self) -> datetime:
        """Now, timezone-aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary origin; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_utc(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """`time.perf_counter`."""
        return time.perf_counter()
