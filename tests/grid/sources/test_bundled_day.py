from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import resources

from grid import TraceSource, bundled_day
from grid.testing import NOON


def test_it_is_one_day_without_gaps_and_says_that_it_is_modelled() -> None:
    day = bundled_day(date(2026, 3, 2), NOON)
    assert (len(day), day[0].start_utc, day[-1].end_utc) == (
        48,
        datetime(2026, 3, 2, tzinfo=UTC),
        datetime(2026, 3, 3, tzinfo=UTC),
    )
    assert all(
        after.start_utc - before.start_utc == timedelta(minutes=30)
        for before, after in zip(day, list(day)[1:], strict=False)
    )
    assert {(r.zone, r.kind, r.factors, r.status, r.source, r.fetched_at_utc) for r in day} == {
        ("GB", "average", "direct", "estimated", "bundled-modelled-day", NOON)
    }
    assert "MODELLED, NOT MEASURED" in resources.files("grid").joinpath("data/gb_modelled_day.csv").read_text("utf-8")


def test_its_shape_uses_every_step_of_a_threshold_policy() -> None:
    figures = {r.start_utc.hour + r.start_utc.minute / 60: r.g_per_kwh for r in bundled_day(date(2026, 3, 2), NOON)}
    assert 70 <= min(figures.values()) <= 90
    assert 210 <= max(figures.values()) == figures[18.0] <= 235
    assert figures[13.0] < 100 < figures[8.0] < 200
    assert all(sum(low <= g < high for g in figures.values()) >= 6 for low, high in ((0, 100), (100, 200), (200, 300)))


def test_it_plays_as_a_trace() -> None:
    source = TraceSource(bundled_day(date(2026, 3, 2), NOON))
    assert (source.zone, source.name, source.slot_s) == ("GB", "bundled-modelled-day", 1800.0)
