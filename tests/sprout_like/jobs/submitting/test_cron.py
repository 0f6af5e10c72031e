"""Recurring moments have cron's own meaning, and follow the clocks of their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
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
