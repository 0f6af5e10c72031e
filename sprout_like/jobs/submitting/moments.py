"""Moments and lengths of time as people give them for a job."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sprout_like.errors import JobError

__all__ = ["length_of_time", "moment_utc"]

_EXAMPLE: Final = "2026-12-01T08:00Z, 2026-12-01T08:00+01:00 or +8h"
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_LENGTH: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(m|min|h|d)")
_RELATIVE: Final = re.compile(r"(?:\+|in\s+)(.+)")


def moment_utc(name: str, given: str | datetime | timedelta, now_utc: datetime) -> datetime:
    """A moment, in UTC.

    Args:
        name: of the setting, for messages.
        given: ISO 8601 with `Z` or an offset, an aware stamp, or a length of time from now: `+8h`, `in 8h`.
        now_utc: now.

    Raises:
        JobError: it is no moment, or does not say in which zone: nobody can tell which moment is meant.
    """
    if isinstance(given, str):
        relative = _RELATIVE.fullmatch(given.strip())
        return _later(name, given, now_utc, _length(relative[1])) if relative else _absolute(name, given)
    if isinstance(given, timedelta):
        return _later(name, str(given), now_utc, given)
    if isinstance(given, datetime):
        return _aware(name, given)
    raise JobError(f"{name}: {str(given)[:40]!r} is no moment. Give one such as {_EXAMPLE}")


def length_of_time(name: str, given: str | timedelta) -> timedelta:
    """A length of time above 0: `90m`, `8h`, `1.5h`, `2d`.

    Args:
        name: of the setting, for messages.
        given: the text, or the length itself.

    Raises:
        JobError: it is none.
    """
    length = given if isinstance(given, timedelta) else _length(given) if isinstance(given, str) else None
    if length is None or length <= timedelta(0):
        raise JobError(f"{name}: {str(given)[:40]!r} is no length of time. Give one such as 90m, 8h or 2d")
    return length


def _later(name: str, given: str, now_utc: datetime, length: timedelta | None) -> datetime:
    try:
        if length is not None:
            return now_utc + length
    except OverflowError:
        pass
    raise JobError(f"{name}: {given[:40]!r} is no moment. Give one such as {_EXAMPLE}")


def _absolute(name: str, given: str) -> datetime:
    try:
        stamp = datetime.fromisoformat(given.strip())
    except ValueError:
        raise JobError(f"{name}: {given[:40]!r} is no moment. Give one such as {_EXAMPLE}") from None
    return _aware(name, stamp)


def _aware(name: str, stamp: datetime) -> datetime:
    if stamp.utcoffset() is None:
        raise JobError(
            f"{name}: {stamp.isoformat()} does not say in which zone. Add Z for UTC, or an offset such as +01:00"
        )
    try:
        return stamp.astimezone(UTC)
    except OverflowError:
        raise JobError(f"{name}: {stamp.isoformat()} is out of range. Give a moment such as {_EXAMPLE}") from None


def _length(text: str) -> timedelta | None:
    found = _LENGTH.fullmatch(text.strip().lower())
    return timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else None
