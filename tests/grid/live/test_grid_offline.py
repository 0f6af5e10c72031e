from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from grid import Grid, Intensity, NoData, Series, SourceDown, SourceError, StaticSource
from grid.live.cache import DiskCache
from grid.testing import NOON, ManualClock, ScriptedSource, reading

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DOWN = SourceDown("scripted: no answer")


def _slots(start_utc: datetime, end_utc: datetime, *, status: str = "actual", late: timedelta = HOUR) -> Series:
    """Half hours, each fetched `late` after its end."""
    count = (end_utc - start_utc) // HALF_HOUR
    return Series(
        Intensity(
            zone="GB",
            start_utc=start_utc + n * HALF_HOUR,
            end_utc=start_utc + (n + 1) * HALF_HOUR,
            g_per_kwh=200 + n % 48,
            kind="average",
            factors="direct",
            status=status,  # type: ignore[arg-type]
            source="scripted",
            fetched_at_utc=start_utc + (n + 1) * HALF_HOUR + late,
        )
        for n in range(count)
    )


def _offline(clock: ManualClock, cache: DiskCache) -> Grid:
    return Grid(ScriptedSource(DOWN, forecasts=[DOWN], histories=[DOWN]), "GB", now_utc=clock, cache=cache)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cache(tmp_path: Path, clock: ManualClock) -> DiskCache:
    return DiskCache(tmp_path, now_utc=clock)


def test_a_restart_without_network_has_the_last_reading_and_forecast(clock: ManualClock, cache: DiskCache) -> None:
    ahead = _slots(NOON, NOON + 2 * DAY, status="forecast")
    Grid(ScriptedSource(reading(250), forecasts=[ahead]), "GB", now_utc=clock, cache=cache).refresh_if_due()

    clock.advance(600)
    grid = _offline(clock, cache)
    assert (grid.look().intensity, grid.look().stale) == (reading(250), False)
    assert grid.outlook().series == ahead
    assert "not refreshed since" in str(grid.outlook().reason)
    grid.refresh_if_due()
    assert (grid.look().intensity, grid.look().stale) == (reading(250), False)
    assert (grid.outlook().series, grid.outlook().reason) == (ahead, "scripted: no answer")

    clock.advance(3600)
    assert (grid.look().intensity, grid.look().stale) == (reading(250), True)
    assert _offline(clock, cache).look().stale

    clock.advance(3 * 3600)
    assert _offline(clock, cache).look().intensity == ahead.at(clock())
    clock.advance(2 * 86400)
    assert _offline(clock, cache).look().intensity is None


def test_what_another_source_or_zone_left_is_not_taken(clock: ManualClock, cache: DiskCache) -> None:
    Grid(ScriptedSource(250.0, name="another"), "GB", now_utc=clock, cache=cache).refresh()
    Grid(ScriptedSource(250.0), "FR", now_utc=clock, cache=cache).refresh()
    Grid(ScriptedSource(250.0, factors="lifecycle"), "GB", now_utc=clock, cache=cache).refresh()
    assert _offline(clock, cache).look().intensity is None


def test_offline_a_forecast_is_made_from_the_history_on_disk(clock: ManualClock, cache: DiskCache) -> None:
    behind = _slots(NOON - 20 * DAY, NOON)
    cache.store("scripted", behind)
    grid = _offline(clock, cache)
    grid.refresh_outlook()
    series = grid.outlook().series
    assert series is not None
    assert grid.outlook().reason == "scripted: no answer"
    assert grid.history(NOON - DAY, NOON) == behind.between(NOON - DAY, NOON)


def test_a_static_source_leaves_nothing_on_disk(clock: ManualClock, cache: DiskCache) -> None:
    Grid(StaticSource(250), "GB", now_utc=clock, cache=cache).refresh_if_due()
    assert list(cache.folder.rglob("*.json")) == []


def test_looking_reads_no_disk(clock: ManualClock, cache: DiskCache) -> None:
    grid = Grid(ScriptedSource(250.0, forecasts=[_slots(NOON, NOON + DAY)]), "GB", now_utc=clock, cache=cache)
    grid.refresh_if_due()
    for path in sorted(cache.folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert grid.look().intensity is not None
    assert grid.outlook().series is not None


def test_what_was_read_from_disk_is_not_read_again(clock: ManualClock, cache: DiskCache) -> None:
    behind = _slots(NOON - 9 * DAY, NOON - 7 * DAY)
    cache.store("scripted", behind)
    grid = _offline(clock, cache)
    assert grid.history(NOON - 9 * DAY, NOON - 7 * DAY) == behind
    for path in cache.folder.rglob("*.json"):
        path.unlink()
    assert grid.history(NOON - 9 * DAY, NOON - 7 * DAY) == behind


def test_history_is_asked_for_once_and_then_only_what_is_missing(clock: ManualClock, cache: DiskCache) -> None:
    everything = _slots(NOON - 20 * DAY, NOON)
    source = ScriptedSource(250.0, histories=[everything])
    first = Grid(source, "GB", now_utc=clock, cache=cache)
    assert first.history(NOON - 10 * DAY, NOON - 4 * DAY) == everything.between(NOON - 10 * DAY, NOON - 4 * DAY)
    again = Grid(source, "GB", now_utc=clock, cache=cache)
    assert again.history(NOON - 12 * DAY, NOON - 2 * DAY) == everything.between(NOON - 12 * DAY, NOON - 2 * DAY)
    assert again.history(NOON - 12 * DAY, NOON - 2 * DAY) == everything.between(NOON - 12 * DAY, NOON - 2 * DAY)
    assert [span for _, *span in source.spans_asked] == [
        [NOON - 10 * DAY, NOON - 4 * DAY],
        [NOON - 12 * DAY, NOON - 10 * DAY],
        [NOON - 4 * DAY, NOON - 2 * DAY],
    ]


def test_what_was_an_estimate_is_asked_for_again_until_it_is_settled(clock: ManualClock, cache: DiskCache) -> None:
    estimated = _slots(NOON - 2 * HOUR, NOON, status="estimated")
    actual = _slots(NOON - 2 * HOUR, NOON)
    source = ScriptedSource(250.0, histories=[estimated, estimated, actual])
    grid = Grid(source, "GB", now_utc=clock, cache=cache)
    span = NOON - 2 * HOUR, NOON
    for _ in range(3):
        assert grid.history(*span) == estimated
    assert len(source.spans_asked) == 1  # nothing new comes within a slot
    clock.advance(1800)
    assert grid.history(*span) == estimated
    clock.advance(1800)
    assert grid.history(*span) == actual
    clock.advance(86400)
    assert grid.history(*span) == actual
    assert len(source.spans_asked) == 3

    settled = _slots(NOON - 10 * DAY, NOON - 9 * DAY, status="estimated", late=3 * DAY)
    cache.store("scripted", settled)
    assert grid.history(NOON - 10 * DAY, NOON - 9 * DAY) == settled
    assert len(source.spans_asked) == 3


def test_a_gap_that_the_source_has_too_is_asked_about_once_a_day(clock: ManualClock) -> None:
    whole = _slots(NOON - 10 * DAY, NOON)
    gappy = Series(r for r in whole if r.start_utc < NOON - 6 * DAY or r.start_utc >= NOON - 4 * DAY)
    source = ScriptedSource(250.0, histories=[gappy])
    grid = Grid(source, "GB", now_utc=clock)
    for _ in range(3):
        assert grid.history(NOON - 10 * DAY, NOON) == gappy
    assert len(source.spans_asked) == 1
    clock.advance(86400 + 1)
    grid.history(NOON - 10 * DAY, NOON)
    assert [span for _, *span in source.spans_asked[1:]] == [[NOON - 6 * DAY, NOON - 4 * DAY]]


def test_history_ends_now_and_the_running_slot_is_no_gap(clock: ManualClock) -> None:
    behind = _slots(NOON - DAY, NOON)
    source = ScriptedSource(250.0, histories=[behind])
    grid = Grid(source, "GB", now_utc=clock)
    assert grid.history(NOON - DAY, NOON + DAY) == behind
    clock.advance(600)
    assert grid.history(NOON - DAY, NOON + DAY) == behind
    assert [span for _, *span in source.spans_asked] == [[NOON - DAY, NOON]]


def test_with_the_source_down_what_is_known_is_given_and_the_log_says_that_it_is_not_all(
    clock: ManualClock, cache: DiskCache, caplog: pytest.LogCaptureFixture
) -> None:
    known = _slots(NOON - 3 * DAY, NOON - 2 * DAY)
    cache.store("scripted", known)
    grid = _offline(clock, cache)
    assert grid.history(NOON - 4 * DAY, NOON) == known
    assert "has gaps: scripted: no answer" in caplog.text
    with pytest.raises(SourceDown):
        grid.history(NOON - 10 * DAY, NOON - 9 * DAY)


def test_where_nobody_knows_anything_that_is_an_error(clock: ManualClock) -> None:
    with pytest.raises(SourceError, match="it has no history"):
        Grid(ScriptedSource(250.0), "GB", now_utc=clock).history(NOON - DAY, NOON)
    empty = ScriptedSource(250.0, histories=[NoData("scripted: none")])
    grid = Grid(empty, "GB", now_utc=clock)
    for _ in range(2):
        with pytest.raises(NoData):
            grid.history(NOON - 9 * DAY, NOON - 8 * DAY)
    with pytest.raises(NoData):
        grid.history(NOON + DAY, NOON + 2 * DAY)


def test_what_was_read_live_is_history_later(clock: ManualClock) -> None:
    grid = Grid(ScriptedSource(250.0), "GB", now_utc=clock, uniform=lambda: 0.0)
    for _ in range(4):
        grid.refresh_if_due()
        clock.advance(1800)
    assert [r.start_utc for r in grid.history(NOON, clock())] == [NOON + n * HALF_HOUR for n in range(4)]


def test_a_history_of_another_kind_is_not_put_together_with_ours(clock: ManualClock) -> None:
    marginal = Series([reading(900, start_utc=NOON - HOUR, kind="marginal")])
    grid = Grid(ScriptedSource(250.0, histories=[marginal]), "GB", now_utc=clock)
    with pytest.raises(SourceError, match="marginal"):
        grid.history(NOON - DAY, NOON)
