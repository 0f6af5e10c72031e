"""What a span comes to: weighted by time, and unknown time counts nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import Series
from grid.testing import reading
from sprout_like.cli.grid.figures import standing, summarise

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)

SLOTS = st.lists(
    st.tuples(st.floats(0, 1000), st.sampled_from([300, 1800, 3600]), st.sampled_from([0, 600]), st.booleans()),
    min_size=1,
    max_size=20,
)


def series(slots: list[tuple[float, int, int, bool]]) -> Series:
    """Readings one after the other: value, length and the gap before it in s, and whether it is estimated."""
    when, readings = START, []
    for value, slot_s, gap_s, estimated in slots:
        when += timedelta(seconds=gap_s)
        status = "estimated" if estimated else "actual"
        readings.append(reading(value, start_utc=when, slot_s=slot_s, status=status))
        when += timedelta(seconds=slot_s)
    return Series(readings)


@given(slots=SLOTS, begin_s=st.integers(0, 7200), length_s=st.integers(1, 40_000))
def test_a_summary_lies_within_its_readings_and_counts_all_known_time(
    slots: list[tuple[float, int, int, bool]], begin_s: int, length_s: int
) -> None:
    of, start = series(slots), START + timedelta(seconds=begin_s)
    end = start + timedelta(seconds=length_s)

    summary = summarise(of, start, end)

    by_second = [of.at(start + timedelta(seconds=300 * n)) for n in range(length_s // 300)]
    if summary is None:
        assert not any(by_second)
        return
    assert summary.lowest.g_per_kwh <= summary.mean_g_per_kwh * (1 + 1e-9)
    assert summary.mean_g_per_kwh <= summary.highest.g_per_kwh * (1 + 1e-9)
    assert 0 < summary.known_s <= summary.asked_s == length_s
    assert sum(summary.shares.values()) == pytest.approx(1)


@given(slots=SLOTS, value=st.floats(0, 1000))
def test_a_value_stands_above_below_or_with_the_rest(slots: list[tuple[float, int, int, bool]], value: float) -> None:
    of = series(slots)

    found = standing(value, of, of[0].start_utc, of[-1].end_utc)

    assert found is not None
    equal_s = sum((r.end_utc - r.start_utc).total_seconds() for r in of if r.g_per_kwh == value)
    known_s = sum((r.end_utc - r.start_utc).total_seconds() for r in of)
    assert found.above + found.below + equal_s / known_s == pytest.approx(1)


def test_only_what_lies_within_the_span_counts_and_by_how_long_it_does() -> None:
    of = series([(100, 3600, 0, False), (400, 3600, 0, True), (50, 3600, 600, False)])
    summary = summarise(of, START + HOUR / 2, START + 2 * HOUR + timedelta(minutes=5))

    assert summary is not None
    assert summary.mean_g_per_kwh == pytest.approx((0.5 * 100 + 1 * 400) / 1.5)
    assert (summary.lowest.g_per_kwh, summary.highest.g_per_kwh) == (100, 400)
    assert summary.shares == {"actual": pytest.approx(1 / 3), "estimated": pytest.approx(2 / 3)}
    assert (summary.known_s, summary.asked_s) == (5400, 5700)
    found = standing(120, of, START + HOUR / 2, START + 2 * HOUR)
    assert found is not None
    assert (found.above, found.below) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_of_an_unknown_span_nothing_is_said() -> None:
    of = series([(100, 3600, 0, False)])

    assert summarise(of, START + 2 * HOUR, START + 3 * HOUR) is None
    assert standing(100, of, START + 2 * HOUR, START + 3 * HOUR) is None
