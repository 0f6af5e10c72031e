"""What can go wrong in `grid`.

GridError
├── ZoneError           the zone is unknown, or the source does not cover it          (fix the setting)
├── SourceSpecError     the text that names a source cannot be understood              (fix the setting)
├── WindowError         the work does not fit before its deadline                      (move the deadline)
└── SourceError         a source was asked and did not give a usable answer
    ├── SourceRefused   it refused the key or the plan: asking again will not help     (fix the key)
    ├── SourceDown      no answer, or 408, 429, 5xx: asking again later may help       (retryable)
    ├── NoData          it answered, and has nothing for that zone and span
    └── BadData         it answered, but with something that is not an intensity
"""

from __future__ import annotations

import math

__all__ = [
    "BadData",
    "GridError",
    "NoData",
    "SourceDown",
    "SourceError",
    "SourceRefused",
    "SourceSpecError",
    "WindowError",
    "ZoneError",
]


class GridError(Exception):
    """Base of every error this package raises."""


class ZoneError(GridError, ValueError):
    """The zone is unknown, or this source does not cover it; the message names the nearest zones."""


class SourceSpecError(GridError, ValueError):
    """The text that names a source cannot be understood, or its file cannot be read."""


class WindowError(GridError, ValueError):
    """The work does not fit before its deadline where the intensity is known; the message says what room there is."""


class SourceError(GridError):
    """A source was asked and did not give a usable answer."""


class SourceRefused(SourceError):
    """The source refused the key or the plan (401, 403): asking again will not help.

    Attributes:
        unknown_key: True where it does not know who we are (401), so that a new login may help.
    """

    def __init__(self, message: str, *, unknown_key: bool = False) -> None:
        super().__init__(message)
        self.unknown_key = unknown_key


class SourceDown(SourceError):
    """No answer in time, or 408, 429 or 5xx: asking again later may help.

    Attributes:
        retry_after_s: what the source asked us to wait, in s; None where it did not say, or said what is no time.
    """

    retry_after_s: float | None = None

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        # Raised in anybody's code, while something has gone wrong already: what cannot be used must not fail here.
        usable = isinstance(retry_after_s, int | float) and 0 <= retry_after_s < math.inf
        self.retry_after_s = float(retry_after_s) if retry_after_s is not None and usable else None


class NoData(SourceError):
    """The source answered, and has nothing for that zone and span."""


class BadData(SourceError):
    """The source answered with something that is not an intensity (null, NaN, negative, from the future, …)."""
