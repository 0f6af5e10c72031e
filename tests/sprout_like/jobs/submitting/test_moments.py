"""Deadlines as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.errors import JobError
from sprout_like.jobs.submitting.moments import length_of_time, moment_utc

NOW = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-12-01T08:00Z", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-12-01 08:00+01:00", datetime(2026, 12, 1, 7, tzinfo=UTC)),
        (" 20261201T0800Z ", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("+8h", NOW + timedelta(hours=8)),
        ("in 90 min", NOW + timedelta(minutes=90)),
        ("+1.5d", NOW + timedelta(hours=36)),
    ],
)
def test_moments(text: str, when: datetime) -> None:
    assert moment_utc("deadline", text, NOW) == when


@pytest.mark.parametrize("text", ["2026-12-01T08:00", "2026-12-01"])
def test_a_moment_without_a_zone_could_mean_any(text: str) -> None:
    with pytest.raises(JobError, match=r"deadline: 2026-12-01T.* Add Z for UTC, or an offset such as \+01:00"):
        moment_utc("deadline", text, NOW)


def test_a_stamp_without_a_zone_is_refused_too() -> None:
    with pytest.raises(JobError, match="does not say in which zone"):
        moment_utc("deadline", datetime(2026, 12, 1, 8), NOW)  # noqa: DTZ001 - that is the point


def test_a_stamp_and_a_length_of_time() -> None:
    paris = timezone(timedelta(hours=1))
    assert moment_utc("deadline", datetime(2026, 12, 1, 8, tzinfo=paris), NOW) == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert moment_utc("deadline", timedelta(hours=8), NOW) == NOW + timedelta(hours=8)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "8h", "+", "+8", "+8y", "+999999999d", "+-8h", "2026-13-01T00:00Z", "0001-01-01T00:00+14:00"],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(JobError, match=r"^deadline: .*Give a? ?(one|moment) such as"):
        moment_utc("deadline", text, NOW)


@pytest.mark.parametrize("text", ["0h", "-8h", "8", "h", "", "1e3h"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(JobError, match=r"within: .* is no length of time\. Give one such as"):
        length_of_time("within", text)


@given(minutes=st.integers(1, 10**6))
def test_lengths_of_time_come_through_unchanged(minutes: int) -> None:
    assert length_of_time("within", f"{minutes}m") == timedelta(minutes=minutes)


@given(
    when=st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
    offset_min=st.integers(-14 * 60, 14 * 60),
)
def test_every_offset_names_the_same_moment(when: datetime, offset_min: int) -> None:
    stamp = when.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert moment_utc("deadline", stamp.isoformat(), NOW) == stamp
