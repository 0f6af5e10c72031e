from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, Intensity, Series
from grid.testing import NOON, reading

HALF_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize(
    "figure", [None, True, "250", float("nan"), float("inf"), float("-inf"), -1, -0.001, 5_000.1, 10**400, [250]]
)
def test_what_is_not_an_intensity_is_refused(figure: Any) -> None:
    with pytest.raises(BadData, match="intensity for GB"):
        reading(figure)


@pytest.mark.parametrize("figure", [0, 0.0, 250, 5_000])
def test_what_is_one_is_kept_as_a_float(figure: float) -> None:
    kept = reading(figure).g_per_kwh
    assert kept == figure
    assert isinstance(kept, float)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_utc", datetime(2026, 3, 2, 12)),  # noqa: DTZ001
        ("start_utc", NOON.astimezone(timezone(timedelta(hours=1)))),
        ("fetched_at_utc", datetime(2026, 3, 2, 12)),  # noqa: DTZ001
        ("end_utc", NOON),
        ("end_utc", NOON - HALF_HOUR),
        ("kind", "mean"),
        ("factors", "neso"),
        ("status", None),
        ("source", None),
        ("source", ""),
        ("zone", 5),
        ("passed_over", (1, 2)),
        ("passed_over", "uk: down"),
        ("passed_over", None),
    ],
)
def test_a_wrong_label_is_refused(field: str, value: Any) -> None:
    good = reading(250)
    labels = {name: getattr(good, name) for name in Intensity.__slots__}
    with pytest.raises(BadData):
        Intensity(**{**labels, field: value})


def _series(slots: set[int], *, length_s: float = 1800.0) -> Series:
    return Series(reading(100 + n, start_utc=NOON + n * HALF_HOUR, slot_s=length_s) for n in slots)


slots = st.sets(st.integers(0, 50), max_size=20)
moments = st.datetimes(datetime(2026, 3, 2, 10), datetime(2026, 3, 3, 16), timezones=st.just(UTC))  # noqa: DTZ001


@given(slots, moments, st.sampled_from([600.0, 1800.0]))
def test_at_gives_the_reading_that_holds_the_moment_and_nothing_else(
    slots: set[int], moment: datetime, length_s: float
) -> None:
    series = _series(slots, length_s=length_s)
    holding = [r for r in series if r.start_utc <= moment < r.end_utc]
    assert series.at(moment) == (holding[0] if holding else None)


@given(slots, moments)
def test_last_before_never_looks_ahead(slots: set[int], moment: datetime) -> None:
    series = _series(slots)
    before = [r for r in series if r.start_utc <= moment]
    assert series.last_before(moment) == (before[-1] if before else None)


@given(slots, moments, moments)
def test_between_gives_what_touches_the_span(slots: set[int], start: datetime, end: datetime) -> None:
    series = _series(slots)
    touching = [r for r in series if max(r.start_utc, start) < min(r.end_utc, end)]
    if start < end:
        assert list(series.between(start, end)) == touching


def test_a_series_is_in_order_whatever_the_order_given() -> None:
    first, second = reading(1), reading(2, start_utc=NOON + HALF_HOUR)
    assert Series([second, first]) == Series([first, second])
    assert hash(Series([second, first])) == hash(Series([first, second]))
    assert list(Series([second, first])) == [first, second]


@pytest.mark.parametrize(
    "other",
    [
        reading(2, start_utc=NOON + HALF_HOUR / 2),
        reading(2, start_utc=NOON + HALF_HOUR, zone="FR"),
        reading(2, start_utc=NOON + HALF_HOUR, kind="marginal"),
        reading(2, start_utc=NOON + HALF_HOUR, factors="lifecycle"),
    ],
    ids=["overlap", "zone", "kind", "factors"],
)
def test_a_series_does_not_mix(other: Intensity) -> None:
    with pytest.raises(BadData):
        Series([reading(1), other])
