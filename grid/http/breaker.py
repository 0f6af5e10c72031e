"""A circuit breaker: a source that is down is left alone for a while, and asked once before it is trusted again."""

from __future__ import annotations

import threading
from dataclasses import dataclass

__all__ = ["Breaker"]

# A daily quota may well say "come back tomorrow"; a header that says "in a year" is a mistake.
_LONGEST_RETRY_AFTER_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _State:
    failures: int = 0
    opened_s: float = 0.0
    until_s: float | None = None


class Breaker:
    """Closed, then open after failures in a row, then half open: one question is let through, and decides.

    Time is whatever the caller counts in s, so that a simulated clock drives it too; a clock set back closes it.

    Args:
        failures: failed questions in a row that open it; a `Retry-After` opens it at once.
        first_s: for how long it stays open at first; twice as long after each failed trial.
        longest_s: for how long at most, where the source did not ask for more itself.
    """

    def __init__(self, *, failures: int = 3, first_s: float = 30.0, longest_s: float = 15 * 60.0) -> None:
        self._limit = failures
        self._first_s = first_s
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._state = _State()

    def closed_for_s(self, now_s: float) -> float:
        """Seconds until the source may be asked; 0 where now. While half open, all but the first asker wait."""
        with self._lock:
            state = self._state
            if state.until_s is None or now_s < state.opened_s:
                return 0.0
            if now_s < state.until_s:
                return state.until_s - now_s
            # Half open: whoever asks now tries for all; nobody else does until that is decided, or takes too long.
            self._state = _State(state.failures, now_s, now_s + self._first_s)
            return 0.0

    def succeeded(self) -> None:
        """The source answered."""
        with self._lock:
            self._state = _State()

    def failed(self, now_s: float, retry_after_s: float | None = None) -> None:
        """A question failed for good, its retries included.

        Args:
            now_s: now.
            retry_after_s: what the source asked us to wait; None where it did not say.
        """
        with self._lock:
            failures = self._state.failures + 1
            wait_s = 0.0
            if failures >= self._limit:
                wait_s = min(self._longest_s, self._first_s * 2 ** min(failures - self._limit, 16))
            if retry_after_s is not None:
                wait_s = max(wait_s, min(retry_after_s, _LONGEST_RETRY_AFTER_S))
            self._state = _State(failures, now_s, now_s + wait_s if wait_s else None)
