"""A circuit breaker: a source that is down is left alone for a while, and asked once before it is trusted again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from grid.http.process import PerProcess

__all__ = ["Breaker"]

# A daily quota may well say "come back tomorrow"; a header that says "in a year" is a mistake.
_LONGEST_RETRY_AFTER_S = 24 * 3600.0
# Threads that read the clock in one order may get here in another: that is no clock set back.
_SET_BACK_S = 1.0
_NEVER_S = float("-inf")


@dataclass(frozen=True, slots=True)
class _State:
    since_s: float = _NEVER_S
    failures: int = 0
    own_until_s: float = _NEVER_S
    asked_until_s: float = _NEVER_S

    @property
    def until_s(self) -> float:
        return max(self.own_until_s, self.asked_until_s)


class Breaker:
    """Closed, then open after failures in a row, then half open: one question is let through, and decides.

    Questions that run at once tell of one fault: what was asked before the last one failed or was answered does not
    count when it fails. What a `Retry-After` asks for is kept to, whatever comes of other questions.

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
        self._lock = PerProcess(threading.Lock)
        self._state = _State()

    def closed_for_s(self, now_s: float) -> float:
        """Seconds until the source may be asked; 0 where now. While half open, all but the first asker wait."""
        with self._lock():
            state = self._state_at(now_s)
            if now_s < state.until_s:
                return state.until_s - now_s
            if state.until_s > _NEVER_S:
                # Half open: whoever asks now tries for all; nobody else does until that is decided, or takes too long.
                self._state = _State(now_s, state.failures, now_s + self._first_s)
            return 0.0

    def succeeded(self, now_s: float) -> None:
        """The source answered."""
        with self._lock():
            asked_until_s = self._state_at(now_s).asked_until_s
            self._state = _State(now_s, asked_until_s=asked_until_s if asked_until_s > now_s else _NEVER_S)

    def failed(self, asked_s: float, now_s: float, retry_after_s: float | None = None) -> None:
        """A question failed for good, its retries included.

        Args:
            asked_s: when it was asked.
            now_s: now.
            retry_after_s: what the source asked us to wait; None where it did not say.
        """
        with self._lock():
            state = self._state_at(now_s)
            if asked_s >= state.since_s:
                failures = state.failures + 1
                state = replace(state, since_s=now_s, failures=failures, own_until_s=now_s + self._wait_s(failures))
            if retry_after_s is not None:
                asked_until_s = now_s + min(retry_after_s, _LONGEST_RETRY_AFTER_S)
                state = replace(state, asked_until_s=max(state.asked_until_s, asked_until_s))
            self._state = state

    def _wait_s(self, failures: int) -> float:
        """For how long that many failures in a row open it; minus infinity where they do not."""
        if failures < self._limit:
            return _NEVER_S
        return min(self._longest_s, self._first_s * 2.0 ** min(failures - self._limit, 16))

    def _state_at(self, now_s: float) -> _State:
        return self._state if now_s >= self._state.since_s - _SET_BACK_S else _State()
