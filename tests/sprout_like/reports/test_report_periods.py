"""Names of periods and of dimensions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.errors import ReportError
from sprout_like.reports.grouping import dimensions
from sprout_like.reports.periods import period

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "since", "until"),
    [
        ("2026-03", "2026-03", "2026-03-01", "2026-04-01"),
        ("2025-12", "2025-12", "2025-12-01", "2026-01-01"),
        ("2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026", "2026", "2026-01-01", "2027-01-01"),
        ("2026-W01", "2026-W01", "2025-12-29", "2026-01-05"),
        ("2026-w53", "2026-W53", "2026-12-28", "2027-01-04"),
        ("day", "2026-03-01", "2026-03-01", "2026-03-02"),
        ("week", "2026-W09", "2026-02-23", "2026-03-02"),
        ("month", "2026-02", "2026-02-01", "2026-03-01"),
        ("year", "2025", "2025-01-01", "2026-01-01"),
    ],
)
def test_a_period_is_a_whole_utc_span(text: str, name: str, since: str, until: str) -> None:
    found = period(text, NOW)

    assert found.name == name
    assert (f"{found.since_utc:%Y-%m-%d}", f"{found.until_utc:%Y-%m-%d}") == (since, until)


@pytest.mark.parametrize(
    "text", ["", "march", "2026-13", "2026-00", "2026-02-30", "2025-W53", "2026-3", "26-03", "9999", "0000", "٢٠٢٦"]
)
def test_what_is_no_period_says_what_is(text: str) -> None:
    with pytest.raises(ReportError, match=r"--period: .* is none\. Give day, week, month, year, or a name such as"):
        period(text, NOW)


@given(
    st.integers(0, 7_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(["day", "week", "month", "year"]),
)
def test_the_last_whole_period_is_over_and_ended_last(now: datetime, kind: str) -> None:
    found = period(kind, now)

    longest = {"day": 1, "week": 7, "month": 31, "year": 366}[kind]
    assert found.since_utc < found.until_utc <= now < found.until_utc + timedelta(days=longest)
    assert period(found.name, now) == found


def test_dimensions_are_taken_once_in_their_order() -> None:
    assert dimensions("day, Model,tag:My Team,day") == ("day", "model", "tag:My Team")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("directiv", "cannot group by 'directiv'. Did you mean 'directive'? There are hour, day, week, month, model"),
        ("nope", "cannot group by 'nope'. There are hour, day"),
        ("day,", "cannot group by ''"),
        ("tag:", "tag: names no tag. Give one, as in tag:team"),
        ("day,model,energy_j", "and tag:NAME for a tag"),
    ],
)
def test_an_unknown_dimension_names_those_there_are(text: str, said: str) -> None:
    with pytest.raises(ReportError) as caught:
        dimensions(text)

    assert said in str(caught.value)
