"""When to ask a source again: pure, nothing in here asks or waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from grid.errors import SourceDown, SourceError, SourceRefused
from grid.intensity import Intensity

__all__ = ["Turn", "wait_for_forecast_s", "wait_for_latest_s"]

_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 15 * 60.0
# A daily quota may well say "come back tomorrow"; a header that says "in a year" is a mistake.
_LONGEST_RETRY_AFTER_S = 24 * 3600.0
# All the world's slots end on the same seconds: processes ask within the first part of the next one, each at its own.
_SPREAD_SLOTS = 0.05
# While there is a better answer to be had (the next slot, a source that was passed over), ask ten times per slot.
_SOON_SLOTS = 0.1
_SOON_S = 180.0
# Providers of 5-minute figures do not make a new forecast every 5 minutes that would change a plan.
_FORECAST_EVERY_S = 1800.0


@dataclass(frozen=True, slots=True)
class Turn:
    """How asking for one thing went last, and when it is to be asked for again.

    Attributes:
        asked_utc: when it was asked for last; None before the first time.
        due_utc: when it is to be asked for next; None before the first time.
        failures: failures in a row.
        problem: why the last asking failed; None where it did not.
    """

    asked_utc: datetime | None = None
    due_utc: datetime | None = None
    failures: int = 0
    problem: str | None = None

    def due_in_s(self, now_utc: datetime) -> float:
        """Seconds until it is due; 0 where it is, or where the clock was set back since."""
        if self.asked_utc is None or self.due_utc is None or now_utc < self.asked_utc:
            return 0.0
        return max(0.0, (self.due_utc - now_utc).total_seconds())

    def answered(self, now_utc: datetime, wait_s: float) -> Turn:
        """The source answered, and is to be asked again after `wait_s`."""
        return Turn(now_utc, now_utc + timedelta(seconds=wait_s))

    def failed(self, now_utc: datetime, error: SourceError, *, uniform: float) -> Turn:
        """The source failed: a wait that doubles from 5 s to 15 min, or what it asked for if that is longer.

        Args:
            now_utc: now.
            error: what it raised; after a refusal the wait is the longest at once.
            uniform: a draw from [0, 1).
        """
        if isinstance(error, SourceRefused):
            longest_s = _LAST_RETRY_S
        else:
            longest_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** min(self.failures + 1, 16))
        wait_s = _jittered(longest_s, uniform)
        if isinstance(error, SourceDown) and error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, _LONGEST_RETRY_AFTER_S))
        return Turn(now_utc, now_utc + timedelta(seconds=wait_s), self.failures + 1, str(error))


def wait_for_latest_s(reading: Intensity, *, now_utc: datetime, slot_s: float, repeats: int, uniform: float) -> float:
    """How long after an answer to ask for the latest reading again, in s.

    That is when the reading's span ends, a slot at most, and up to a twentieth of a slot more. Sooner where the span
    has ended already or sources were passed over: after a tenth of a slot, 3 min at most, then twice as long each time.

    Args:
        reading: the answer.
        now_utc: now.
        slot_s: length of the source's slots, in s.
        repeats: how many answers in a row, before this one, were for the same span.
        uniform: a draw from [0, 1).
    """
    left_s = (reading.end_utc - now_utc).total_seconds()
    regular_s = min(left_s, slot_s) + uniform * _SPREAD_SLOTS * slot_s if left_s > 0 else slot_s
    if left_s > 0 and not reading.passed_over:
        return regular_s
    soon_s = min(_SOON_SLOTS * slot_s, _SOON_S) * 2 ** min(repeats, 16)
    return min(_jittered(soon_s, uniform), regular_s)


def wait_for_forecast_s(*, slot_s: float, uniform: float) -> float:
    """How long after an answer to ask for the forecast again, in s: a slot, half an hour at least, and the spread."""
    return max(slot_s, _FORECAST_EVERY_S) + uniform * _SPREAD_SLOTS * slot_s


def _jittered(longest_s: float, uniform: float) -> float:
    return longest_s / 2 * (1 + uniform)
