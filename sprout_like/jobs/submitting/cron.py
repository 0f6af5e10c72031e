"""Recurring moments, as five fields of cron; APScheduler computes them, through changes of clocks too."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from sprout_like.errors import JobError

__all__ = ["next_firing"]

_EXAMPLE: Final = '"0 6 * * *" for 06:00 on each day'
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def next_firing(cron: str, timezone: str, after_utc: datetime) -> datetime:
    """The first moment after `after_utc` that the five fields name, in UTC.

    Args:
        cron: minute, hour, day of month, month and day of week, with cron's own meaning: Sunday is 0 and 7.
        timezone: IANA name of the zone in which they are read, such as `Europe/Paris`.
        after_utc: that moment itself is not meant.

    Raises:
        JobError: the fields or the zone are none, or no such moment ever comes.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise JobError(f"every: {cron[:40]!r} is not five fields. Give some such as {_EXAMPLE}")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":  # cron would run on either, APScheduler on both
        raise JobError("every: both a day of the month and a day of the week are named. Leave one of them as *")
    try:
        trigger = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=_zone(timezone)
        )
    except ValueError as exc:
        raise JobError(f"every: {cron[:40]!r} cannot be read ({exc}). Give some such as {_EXAMPLE}") from None
    found: datetime | None = trigger.get_next_fire_time(after_utc, after_utc)
    if found is None:
        raise JobError(f"every: {cron[:40]!r} names no day that there is. Give some such as {_EXAMPLE}")
    return found.astimezone(UTC)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fix = "Give an IANA name such as UTC or Europe/Paris"
        raise JobError(f"timezone: there is no zone {timezone[:40]!r}. {fix}") from None


def _weekdays(field: str) -> str:
    """The days by name, as APScheduler 3 counts them from Monday where cron counts from Sunday."""
    if field == "*":
        return field
    days = [day for part in field.lower().split(",") for day in _weekdays_of(part)]
    return ",".join(dict.fromkeys(_DAYS[day % 7] for day in days))


def _weekdays_of(part: str) -> range:
    found = _PART.fullmatch(part)
    if found is None or (step := int(found["step"] or 1)) < 1:
        raise ValueError(f"{part!r} is no day of the week")
    if found["first"] is None:
        return range(0, 7, step)
    first = _weekday(found["first"])
    last = _weekday(found["last"]) if found["last"] else first if found["step"] is None else 6
    return range(first, (last if last >= first else last + 7) + 1, step)


def _weekday(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"{text!r} is no day of the week")
