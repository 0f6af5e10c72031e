"""Moments in the machine's own zone, also where its clock is set back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sprout_like.cli.grid.times import Times

# At 01:00 UTC on that day London goes from 02:00 summer time to 01:00.
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("start_utc", "end_utc", "text"),
    [
        (
            BACK - HALF_AN_HOUR,
            BACK + HALF_AN_HOUR,
            "2026-10-25 01:30 UTC+01:00 to 01:30 UTC (2026-10-25 00:30 to 01:30 UTC)",
        ),
        (
            BACK - timedelta(hours=13),
            BACK + timedelta(hours=11),
            "2026-10-24 13:00 UTC+01:00 to 2026-10-25 12:00 UTC (2026-10-24 12:00 to 2026-10-25 12:00 UTC)",
        ),
        (BACK, BACK + HALF_AN_HOUR, "2026-10-25 01:00 to 01:30 UTC"),
        (
            BACK - timedelta(hours=2),
            BACK - HALF_AN_HOUR,
            "2026-10-25 00:00 to 01:30 UTC+01:00 (2026-10-24 23:00 to 2026-10-25 00:30 UTC)",
        ),
    ],
)
def test_each_end_of_a_span_has_the_offset_of_its_own_moment(
    london: None, start_utc: datetime, end_utc: datetime, text: str
) -> None:
    assert Times().span(start_utc, end_utc) == text
