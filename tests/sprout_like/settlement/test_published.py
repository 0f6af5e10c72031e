"""What was published for a span: from one source, without a gap, never another kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.testing import NOON
from sprout_like.settlement.figures import Group
from sprout_like.settlement.published import Figure, Published
from sprout_like.settlement.spans import cut, joined

GB = Group("GB", "average", "direct")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=8), st.data())
def test_the_mean_over_minutes_is_the_mean_of_the_minutes(
    new_reading: Any, values: list[float], data: st.DataObject
) -> None:
    length = 30 * len(values)
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    published = Published(new_reading(value, slot) for slot, value in enumerate(values))

    figure = published.over(GB, at(start), at(end))

    minutes = [values[minute // 30] for minute in range(start, end)]
    assert figure is not None
    assert figure.g_per_kwh == pytest.approx(sum(minutes) / len(minutes))
    assert published.over(GB, at(start), at(length + 1)) is None
    assert published.over(GB, at(-1), at(end)) is None


def test_a_span_of_no_length_is_a_moment(new_reading: Any) -> None:
    published = Published([new_reading(150, 0)])

    assert published.over(GB, at(0), at(0)) == Figure(150, "actual", "published")
    assert published.over(GB, at(30), at(30)) is None


@pytest.mark.parametrize("change", [{"zone": "FR"}, {"kind": "marginal"}, {"factors": "lifecycle"}])
def test_another_zone_kind_or_factors_is_no_answer(new_reading: Any, change: dict[str, Any]) -> None:
    assert Published([new_reading(150, 0, **change)]).over(GB, at(0), at(1)) is None


def test_two_sources_are_never_joined(new_reading: Any) -> None:
    halves = [new_reading(150, 0, source="a"), new_reading(150, 1, source="b")]

    assert Published(halves).over(GB, at(20), at(40)) is None


def test_an_actual_of_any_source_goes_before_an_estimate(new_reading: Any) -> None:
    readings = [new_reading(150, 0, status="estimated"), new_reading(250, 0, source="other")]

    figure = Published(readings, estimated=True).over(GB, at(0), at(1), preferred=("published",))

    assert figure == Figure(250, "actual", "other")


def test_an_estimate_fills_a_gap_and_says_so(new_reading: Any) -> None:
    readings = [new_reading(100, 0), new_reading(900, 0, status="estimated"), new_reading(200, 1, status="estimated")]

    assert Published(readings).over(GB, at(0), at(60)) is None
    assert Published(readings, estimated=True).over(GB, at(0), at(60)) == Figure(150, "estimated", "published")


def test_slots_that_changed_their_length_count_once(new_reading: Any) -> None:
    hour = new_reading(900, 0, slot_s=3600.0)
    halves = [new_reading(100, 0), new_reading(200, 1)]
    corrected = [_fetched(reading, at(120)) for reading in halves]

    assert Published([hour, *corrected]).over(GB, at(0), at(60)) == Figure(150, "actual", "published")
    assert Published([_fetched(hour, at(180)), *halves]).over(GB, at(0), at(60)) == Figure(900, "actual", "published")


def _fetched(reading: Any, when: datetime) -> Any:
    return replace(reading, fetched_at_utc=when)


minutes = st.integers(0, 300)


@given(st.lists(st.tuples(minutes, minutes).map(sorted), max_size=10), st.integers(0, 60), st.integers(1, 100))
def test_joined_and_cut_spans_cover_the_same_minutes(spans: list[list[int]], bridge: int, longest: int) -> None:
    whole = joined([(at(start), at(end)) for start, end in spans], timedelta(minutes=bridge))
    pieces = [piece for span in whole for piece in cut(span, timedelta(minutes=longest))]

    asked = [(start, end) for start, end in spans if start < end]
    for minute in range(301):
        here, inside = at(minute), any(start <= minute < end for start, end in asked)
        assert not inside or any(start <= here < end for start, end in pieces)
    assert all(end - start <= timedelta(minutes=longest) for start, end in pieces)
    assert all(later - before > timedelta(minutes=bridge) for (_, before), (later, _) in pairwise(whole))
    bounds = {at(minute) for span in spans for minute in span}
    assert all(start in bounds and end in bounds for start, end in whole)
