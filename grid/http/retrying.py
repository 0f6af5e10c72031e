"""When to ask once more: pure, the waiting is done elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from grid.errors import SourceDown, SourceError

__all__ = ["Retrying"]


@dataclass(frozen=True, slots=True)
class Retrying:
    """Exponential backoff with full jitter, for faults that may pass.

    The scheme is that of Brooker, "Timeouts, retries and backoff with jitter", Amazon Builders' Library, 2019.

    Attributes:
        attempts: how often one question is asked at most.
        first_wait_s: upper limit of the first wait; each further one is twice as long.
        longest_wait_s: upper limit of every wait that the source did not ask for.
    """

    attempts: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0

    def wait_s(self, failed: int, error: SourceError, *, left_s: float, uniform: float) -> float | None:
        """How long to wait before the next attempt; None where there is to be none.

        Args:
            failed: attempts that have failed, 1 or more.
            error: what the last one raised.
            left_s: what remains of the time limit.
            uniform: a draw from [0, 1).
        """
        if not isinstance(error, SourceDown) or failed >= self.attempts:
            return None
        wait_s = uniform * min(self.longest_wait_s, self.first_wait_s * 2 ** min(failed - 1, 32))
        if error.retry_after_s is not None:
            wait_s = max(wait_s, error.retry_after_s)
        return wait_s if wait_s < left_s else None
