"""Spans of time by their names: `2026`, `2026-03`, `2026-W10`, `2026-03-09`, and the last whole one of a kind. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sprout_like.errors import ReportError

__all__ = ["Period", "period"]

_KINDS: Final = ("day", "week", "month", "year")
_NAMES: Final = re.compile(
    r"(?P<year>\d{4})(-W(?P<week>\d{2})|-(?P<month>\d{2})(-(?P<day>\d{2}))?)?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Period:
    """A whole UTC day, ISO week, month or year.

    Attributes:
        name: `2026-03-09`, `2026-W10`, `2026-03` or `2026`.
        since_utc, until_utc: its span, the end exclusive.
    """

    name: str
    since_utc: datetime
    until_utc: datetime


def period(text: str, now_utc: datetime) -> Period:
    """The period of that name; of `day`, `week`, `month` and `year` the last that is over.

    Weeks are those of ISO 8601, which begin on Monday.

    Raises:
        ReportError: it is none.
    """
    try:
        if text in _KINDS:
            return _before(text, now_utc.astimezone(UTC).date())
        found = _NAMES.fullmatch(text)
        if found is not None:
            return _named(found)
    except (ValueError, OverflowError):
        pass
    raise ReportError(f"--period: {text!r} is none. Give day, week, month, year, or a name such as 2026-03 or 2026-W10")


def _named(found: re.Match[str]) -> Period:
    year = int(found["year"])
    if found["week"]:
        return _of("week", date.fromisocalendar(year, int(found["week"]), 1))
    if found["day"]:
        return _of("day", date(year, int(found["month"]), int(found["day"])))
    if found["month"]:
        return _of("month", date(year, int(found["month"]), 1))
    return _of("year", date(year, 1, 1))


def _before(kind: str, today: date) -> Period:
    """The one before that in which today is."""
    match kind:
        case "day":
            return _of(kind, today - timedelta(days=1))
        case "week":
            return _of(kind, today - timedelta(days=today.weekday() + 7))
        case "month":
            return _of(kind, (today.replace(day=1) - timedelta(days=1)).replace(day=1))
    return _of(kind, date(today.year - 1, 1, 1))


def _of(kind: str, first: date) -> Period:
    match kind:
        case "day":
            name, end = first.isoformat(), first + timedelta(days=1)
        case "week":
            name, end = "{}-W{:02}".format(*first.isocalendar()), first + timedelta(days=7)
        case "month":
            name, end = f"{first:%Y-%m}", (first + timedelta(days=31)).replace(day=1)
        case _:
            name, end = f"{first:%Y}", date(first.year + 1, 1, 1)
    return Period(name, _midnight(first), _midnight(end))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
