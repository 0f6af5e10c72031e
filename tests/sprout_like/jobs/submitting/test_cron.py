"""Recurring moments have cron's own meaning, and follow the clocks of their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.errors import JobError
from sprout_like.jobs.submitting.cron import next_firing

SATURDAY = datetime(2026, 11, 21, 19, tzinfo=UTC)


def firings(cron: str, count: int, timezone: str = "UTC", after: datetime = SATURDAY) -> list[datetime]:
    found = [after]
    for _ in range(count):
        found.append(next_firing(cron, timezone, found[-1]))
    assert all(one < other for one, other in pairwise(found))
    return found[1:]


def test_each_day_at_six() -> None:
    assert firings("0 6 * * *", 2) == [datetime(2026, 11, 22, 6, tzinfo=UTC), datetime(2026, 11, 23, 6, tzinfo=UTC)]


def test_the_moment_itself_is_not_the_next_one() -> None:
    assert firings("0 19 * * *", 1) == [SATURDAY + timedelta(days=1)]


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {"Sun"}),
        ("7", {"Sun"}),
        ("sun", {"Sun"}),
        ("1-5", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("6,0", {"Sat", "Sun"}),
        ("Fri-Mon", {"Fri", "Sat", "Sun", "Mon"}),
        ("*/2", {"Sun", "Tue", "Thu", "Sat"}),
        ("1-5/2", {"Mon", "Wed", "Fri"}),
        ("5-7", {"Fri", "Sat", "Sun"}),
        ("4/2", {"Thu", "Sat"}),
    ],
)
def test_days_of_the_week_are_counted_as_cron_does(field: str, days: set[str]) -> None:
    assert {f"{when:%a}" for when in firings(f"0 6 * * {field}", 14)} == days


@given(first=st.integers(0, 6), last=st.integers(0, 6))
def test_any_range_of_days_holds_both_its_ends(first: int, last: int) -> None:
    found = {int(f"{when:%w}") for when in firings(f"0 6 * * {first}-{last}", 7)}
    assert {first, last} <= found
    assert len(found) == (last - first) % 7 + 1


def test_the_hour_stays_the_local_one_when_clocks_change() -> None:
    """In Paris, 06:00 is 04:00 UTC until 25 October 2026 and 05:00 from then on."""
    before, after = firings("0 6 * * *", 2, "Europe/Paris", datetime(2026, 10, 23, 12, tzinfo=UTC))
    assert (before.hour, after.hour) == (4, 5)


AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""In Paris, clocks go back on 25 October 2026 at 01:00 UTC: 02:00 to 03:00 is there twice."""


@pytest.mark.parametrize(
    ("cron", "moments"),
    [
        ("30 2 * * *", ["25 00:30", "26 01:30", "27 01:30"]),
        ("0 1-3 * * *", ["24 23:00", "25 00:00", "25 02:00", "26 00:00"]),
        ("30 */12 * * *", ["24 22:30", "25 11:30", "25 23:30"]),
        ("30 * * * *", ["24 12:30", "24 13:30"]),
    ],
)
def test_a_fixed_hour_that_is_there_twice_counts_once(cron: str, moments: list[str]) -> None:
    assert [f"{when:%d %H:%M}" for when in firings(cron, len(moments), "Europe/Paris", AUTUMN)] == moments


@pytest.mark.parametrize(
    ("cron", "apart_min"), [("30 * * * *", 60), ("*/15 * * * *", 15), ("* 0-23 * * *", 1), ("0 0-23/1 * * *", 60)]
)
def test_what_comes_hourly_or_more_often_comes_in_both_of_the_hours(cron: str, apart_min: int) -> None:
    found = firings(cron, 5 * 60 // apart_min, "Europe/Paris", datetime(2026, 10, 24, 23, 30, tzinfo=UTC))
    assert {other - one for one, other in pairwise(found)} == {timedelta(minutes=apart_min)}


@pytest.mark.parametrize("second", [0, 1, 599, 1800, 3599, 3600, 5400])
def test_asked_within_the_repeated_hour_it_never_names_what_has_been(second: int) -> None:
    after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(seconds=second)
    assert next_firing("30 2 * * *", "Europe/Paris", after) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert after < next_firing("*/15 * * * *", "Europe/Paris", after) <= after + timedelta(minutes=15)


def test_an_hour_that_clocks_skip_is_made_up_for() -> None:
    """In Paris, there is no 02:30 on 29 March 2026."""
    found = firings("30 2 * * *", 2, "Europe/Paris", datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert [f"{when:%d %H:%M}" for when in found] == ["29 01:30", "30 00:30"]


def test_the_midnight_after_a_day_of_23_hours_is_not_missed() -> None:
    found = firings("0 0 * * *", 3, "Europe/Paris", datetime(2026, 3, 27, 23, 0, 1, tzinfo=UTC))
    assert [f"{when:%d %H:%M}" for when in found] == ["28 23:00", "29 22:00", "30 22:00"]


ZONES = (
    *("UTC", "Europe/Paris", "Europe/Dublin", "Atlantic/Azores", "America/New_York", "America/St_Johns"),
    *(
        "America/Santiago",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Kolkata",
    ),
)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def changes(timezone: str) -> list[datetime]:
    """The hours of 2026 in which the clocks change; two others where they never do."""
    zone = ZoneInfo(timezone)
    hours = [YEAR + timedelta(hours=n) for n in range(365 * 24)]
    found = [b for a, b in pairwise(hours) if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()]
    return found or [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]


CHANGES = [(timezone, when) for timezone in ZONES for when in changes(timezone)]


@settings(max_examples=60, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.none() | st.sets(st.integers(0, 4) | st.integers(0, 23), min_size=1, max_size=3),
)
def test_around_changes_of_clocks_each_moment_comes_once_and_in_order(
    change: tuple[str, datetime], minutes: set[int], hours: set[int] | None
) -> None:
    """Any hour: whenever the clock on the wall says so. Fixed ones: once for each that a calendar has."""
    timezone, when = change
    zone = ZoneInfo(timezone)
    start, end = when - timedelta(hours=15), when + timedelta(hours=30)
    cron = f"{','.join(map(str, minutes))} {'*' if hours is None else ','.join(map(str, hours))} * * *"
    if hours is None:
        each = (start + timedelta(minutes=n) for n in range(1, 45 * 60))
        expected = {moment for moment in each if moment.astimezone(zone).minute in minutes}
    else:
        days = (start.date() + timedelta(days=n) for n in range(-2, 6))
        local = (
            datetime(day.year, day.month, day.day, h, m, tzinfo=zone) for day in days for h in hours for m in minutes
        )
        expected = {moment.astimezone(UTC) for moment in local}
    found = [start]
    while found[-1] < end:
        found.append(next_firing(cron, timezone, found[-1]))
        assert found[-1] > found[-2]
    assert found[1:-1] == sorted(moment for moment in expected if start < moment < end)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("0 6 * *", "is not five fields"),
        ("@daily", "is not five fields"),
        ("61 6 * * *", "cannot be read"),
        ("0 6 * * 8", "'8' is no day of the week"),
        ("0 6 * * 1/0", "no day of the week"),
        ("0 6 * * monday", "'monday' is no day of the week"),
        ("0 0 30 2 *", "names no day that there is"),
        ("0 6 1 * 1", "Leave one of them as *"),
    ],
)
def test_what_is_no_cron(cron: str, message: str) -> None:
    with pytest.raises(JobError) as caught:
        next_firing(cron, "UTC", SATURDAY)
    assert str(caught.value).startswith("every: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("timezone", ["Nowhere/City", "", "../../etc/passwd", "\0"])
def test_what_is_no_zone(timezone: str) -> None:
    with pytest.raises(JobError, match="timezone: there is no zone"):
        next_firing("0 6 * * *", timezone, SATURDAY)
