"""What a schedule makes after a time in which no worker ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from sprout_like.jobs.job import Job, Schedule
from sprout_like.jobs.submitting.recurring import fired, first_firing_utc

HOUR = timedelta(hours=1)
MADE = datetime(2026, 11, 21, 19, tzinfo=UTC)


def after_downtime(now_utc: datetime, every: str = "0 6 * * *", within: timedelta = 8 * HOUR) -> tuple[Job, datetime]:
    """What a schedule makes now, and when it is due next, where nobody has looked at it since it was made."""
    pattern = Job(
        job_id="0" * 32, submitted_utc=MADE, deadline_utc=MADE, model="org/model", out="/answers-{start}.jsonl"
    )
    schedule = Schedule(
        schedule_id="0" * 32,
        cron=every,
        timezone="UTC",
        within=within,
        next_utc=first_firing_utc(every, "UTC", MADE),
        job=pattern,
    )
    found = fired(schedule, "1" * 32, now_utc)
    assert found is not None
    return found


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=2), 7 * HOUR])
def test_a_firing_that_was_seen_in_time(after: timedelta) -> None:
    six = datetime(2026, 11, 22, 6, tzinfo=UTC)
    job, next_utc = after_downtime(six + after)
    assert (job.submitted_utc, job.deadline_utc, next_utc) == (six + after, six + 8 * HOUR, six + 24 * HOUR)
    assert job.out == "/answers-20261122T0600Z.jsonl"


def test_firings_that_nobody_saw_are_one_job_of_the_last_of_them() -> None:
    """At 13:00 on the 25th, four moments were missed; that of 06:00 on the same day has an hour left."""
    job, next_utc = after_downtime(datetime(2026, 11, 25, 13, tzinfo=UTC))
    assert job.deadline_utc == datetime(2026, 11, 25, 14, tzinfo=UTC)
    assert job.out == "/answers-20261125T0600Z.jsonl"
    assert next_utc == datetime(2026, 11, 26, 6, tzinfo=UTC)


@pytest.mark.parametrize("hour", [14, 20])
def test_firings_whose_time_is_over_get_it_anew(hour: int) -> None:
    late = datetime(2026, 11, 25, hour, tzinfo=UTC)
    job, next_utc = after_downtime(late)
    assert job.deadline_utc == late + 8 * HOUR
    assert job.out == "/answers-20261125T0600Z.jsonl"
    assert next_utc == datetime(2026, 11, 26, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "last"),
    [
        ("* * * * *", datetime(2027, 11, 25, 13, 7, tzinfo=UTC)),
        ("*/7 22 * * *", datetime(2027, 11, 24, 22, 56, tzinfo=UTC)),
        ("0 6 1 * *", datetime(2027, 11, 1, 6, tzinfo=UTC)),
        ("0 0 1 12 *", datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_the_last_of_very_many_that_nobody_saw(every: str, last: datetime) -> None:
    began_s = perf_counter()
    job, _ = after_downtime(datetime(2027, 11, 25, 13, 7, 30, tzinfo=UTC), every, timedelta(days=366))
    assert job.out == f"/answers-{last:%Y%m%dT%H%MZ}.jsonl"
    assert job.deadline_utc == last + timedelta(days=366)
    assert perf_counter() - began_s < 2
