"""Recurring moments, as five fields of cron. APScheduler finds them on a clock that never changes; changes are ours.

Through a change of clocks APScheduler names a moment of the repeated hour again and again, and leaves out the midnight
after a day of 23 hours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from sprout_like.errors import JobError

__all__ = ["next_firing"]

_EXAMPLE: Final = '"0 6 * * *" for 06:00 on each day'
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
_DAY: Final = timedelta(days=1)


def next_firing(cron: str, timezone: str, after_utc: datetime) -> datetime:
    """The first moment after `after_utc` that the five fields name, in UTC.

    As with Vixie cron, an hour that is there twice as clocks go back counts once where the field names hours, and
    twice where it holds `*`, a step or all hours. One that clocks skip is made up for by the next in the former case.

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
    zone = _zone(timezone)
    try:
        trigger = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=UTC
        )
    except ValueError as exc:
        raise JobError(f"every: {cron[:40]!r} cannot be read ({exc}). Give some such as {_EXAMPLE}") from None
    found = _after(trigger, zone, after_utc, once=not _is_repeating(hour))
    if found is None:
        raise JobError(f"every: {cron[:40]!r} names no day that there is. Give some such as {_EXAMPLE}")
    return found


def _is_repeating(hour: str) -> bool:
    """Whether the field means each hour, or each so many, and not some hours of the day."""
    return any("*" in part or "/" in part or part == "0-23" for part in hour.split(","))


def _after(trigger: CronTrigger, zone: ZoneInfo, after_utc: datetime, *, once: bool) -> datetime | None:
    """The first moment after `after_utc` at which the clock on the wall of the zone shows what the trigger names.

    Times of that clock are written as if they were UTC: so none of them is skipped, and none is there twice.
    """
    wall = after_utc.astimezone(zone).replace(tzinfo=UTC, fold=0)
    first = _next(trigger, wall)
    if first is None:
        return None
    # Near a change, times of the wall are not in the order of moments: look so far back and ahead of both.
    shift = max(_shift(zone, after_utc), _shift(zone, first.replace(tzinfo=zone)))
    best: datetime | None = None
    named = _next(trigger, wall - shift)
    while named is not None and (best is None or named <= best.astimezone(zone).replace(tzinfo=UTC) + shift):
        later = [moment for moment in _moments(named, zone, once=once) if moment > after_utc]
        best = min([*later, best] if best is not None else later, default=None)
        if best is not None and not shift:
            break
        named = _next(trigger, named)
    return best


def _next(trigger: CronTrigger, wall: datetime) -> datetime | None:
    found: datetime | None = trigger.get_next_fire_time(wall, wall)  # with both, `wall` itself is left out
    return found


def _shift(zone: ZoneInfo, moment: datetime) -> timedelta:
    """By how much clocks change within a day of a moment; 0 where they do not."""
    offsets = [zone.utcoffset((moment.astimezone(UTC) + n * _DAY).astimezone(zone)) or timedelta(0) for n in (-1, 0, 1)]
    return max(offsets) - min(offsets)


def _moments(wall: datetime, zone: ZoneInfo, *, once: bool) -> list[datetime]:
    """The moments at which a clock on the wall shows that time; with `once` exactly one, whatever clocks do."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if once or first == second:
        return [first]  # of a time that is skipped, as much later as the clocks are
    return [first, second] if first < second else []


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
