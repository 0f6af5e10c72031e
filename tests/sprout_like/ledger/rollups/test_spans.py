"""Hours and spans: nothing is read twice, and nothing is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sprout_like.ledger.rollups.spans import DAY, FIRST, HOUR, LAST, Span, edges, gaps, hour_of, joined, whole_days

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

hours = st.integers(0, 100).map(lambda number: BEGIN + number * HOUR)
moments = st.integers(-60, 110 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


@given(st.lists(hours), st.integers(1, 5))
def test_joined_spans_hold_every_hour_and_are_few_and_apart(given_hours: list[datetime], most: int) -> None:
    spans = joined(given_hours, most=most)

    assert len(spans) <= most
    assert all(any(span.start_utc <= hour < span.end_utc for span in spans) for hour in given_hours)
    assert all(before.end_utc < after.start_utc for before, after in pairwise(spans))


@given(st.lists(hours))
def test_as_long_as_they_are_few_joined_spans_hold_nothing_else(given_hours: list[datetime]) -> None:
    spans = joined(given_hours, most=1000)

    assert sum((span.end_utc - span.start_utc for span in spans), timedelta()) == len(set(given_hours)) * HOUR


@given(st.lists(hours), moments, moments)
def test_spans_and_the_gaps_between_them_are_the_whole(
    given_hours: list[datetime], one: datetime, two: datetime
) -> None:
    whole = Span(min(one, two), max(one, two))
    spans = joined(given_hours, most=1000)
    left = gaps(spans, whole)

    minute = whole.start_utc
    while minute < whole.end_utc:
        assert sum(span.start_utc <= minute < span.end_utc for span in (*spans, *left)) == 1
        minute += timedelta(minutes=20)
    assert all(whole.start_utc <= span.start_utc < span.end_utc <= whole.end_utc for span in left)


@given(moments, moments)
def test_without_its_edges_a_span_is_of_whole_hours(one: datetime, two: datetime) -> None:
    since, until = min(one, two), max(one, two)

    for span in gaps(joined(edges(since, until), most=2), Span(since, until)):
        assert (span.start_utc, span.end_utc) == (hour_of(span.start_utc), hour_of(span.end_utc))


@given(moments, moments)
def test_whole_days_are_as_many_as_fit(one: datetime, two: datetime) -> None:
    span = Span(min(one, two), max(one, two))
    days = whole_days(span)

    if days is None:
        assert span.end_utc - span.start_utc < 2 * DAY
    else:
        assert span.start_utc <= days.start_utc < span.start_utc + DAY
        assert span.end_utc - DAY < days.end_utc <= span.end_utc


def test_an_open_span_has_no_edges() -> None:
    assert edges(None, None) == []
    assert gaps([], Span(FIRST, LAST)) == [Span(FIRST, LAST)]


def test_the_last_hour_of_time_is_an_hour_too() -> None:
    """Of a request whose clock went wild."""
    hour = hour_of(LAST)

    assert joined([hour], most=5) == [Span(hour, LAST)]
    assert whole_days(Span(hour, LAST)) is None
