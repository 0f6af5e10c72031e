from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from grid import Intensity, Series
from grid.live.cache import CacheKey, DiskCache
from grid.live.cache_file import Unreadable, parse, to_text
from grid.live.merging import merged
from grid.testing import NOON, ManualClock, reading

HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
KEY = CacheKey("scripted", "GB", "average", "direct")
FOLDER = Path("scripted", "GB", "average-direct")


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path, now_utc=ManualClock())


def _all(cache: DiskCache, key: CacheKey = KEY) -> list[Intensity]:
    return list(cache.readings(key, NOON - 400 * DAY, NOON + 10 * DAY))


def _told(g_per_kwh: float, status: Any, fetched_after_s: float) -> Intensity:
    one = reading(g_per_kwh, status=status)
    return Intensity(
        zone=one.zone,
        start_utc=one.start_utc,
        end_utc=one.end_utc,
        g_per_kwh=g_per_kwh,
        kind=one.kind,
        factors=one.factors,
        status=status,
        source=one.source,
        fetched_at_utc=NOON + timedelta(seconds=fetched_after_s),
        passed_over=("a: 429",),
    )


def test_what_is_stored_is_read_back_by_another(cache: DiskCache) -> None:
    stored = [reading(200 + n, start_utc=NOON + n * HALF_HOUR) for n in range(-60, 3)]
    cache.store("scripted", stored)
    again = DiskCache(cache.folder, now_utc=ManualClock())
    assert _all(again) == stored
    assert list(again.readings(KEY, NOON, NOON + HALF_HOUR)) == [reading(200)]


def test_a_span_that_began_the_day_before_is_found(cache: DiskCache) -> None:
    night = reading(200, start_utc=datetime(2026, 3, 1, 23, 30, tzinfo=UTC), slot_s=3600)
    cache.store("scripted", [night])
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert list(cache.readings(KEY, midnight, midnight + HALF_HOUR)) == [night]


def test_a_day_is_one_file_that_people_can_read(cache: DiskCache) -> None:
    cache.store(
        "scripted", [reading(200), reading(201, start_utc=NOON + HALF_HOUR), reading(199, start_utc=NOON - DAY)]
    )
    folder = cache.folder / FOLDER
    assert sorted(path.name for path in folder.glob("*.json")) == ["2026-03-01.json", "2026-03-02.json"]
    text = (folder / "2026-03-02.json").read_text("utf-8")
    assert json.loads(text)["readings"][0]["g_per_kwh"] == 200
    assert len(text.splitlines()) == 4


def test_nothing_is_mixed_up_between_sources_zones_kinds_and_factors(cache: DiskCache) -> None:
    others = {
        "source": reading(1),
        "zone": reading(2, zone="FR"),
        "kind": reading(3, kind="marginal"),
        "factors": reading(4, factors="lifecycle"),
    }
    for what, one in others.items():
        cache.store("other" if what == "source" else "scripted", [one])
    cache.store("scripted", [reading(5)])
    assert _all(cache) == [reading(5)]
    assert _all(cache, CacheKey("scripted", "GB", "average", "lifecycle")) == [others["factors"]]


def test_a_figure_for_every_hour_of_the_year_is_not_stored(cache: DiskCache) -> None:
    cache.store("static", [reading(250, status="static")])
    cache.store_forecast("static", Series([reading(250, status="static")]))
    assert list(cache.folder.rglob("*")) == []


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (_told(1, "actual", 0), _told(2, "forecast", 60), 1),
        (_told(1, "forecast", 60), _told(2, "actual", 0), 2),
        (_told(1, "forecast", 60), _told(2, "estimated", 0), 2),
        (_told(1, "actual", 0), _told(2, "actual", 60), 2),
        (_told(1, "actual", 60), _told(2, "actual", 0), 1),
    ],
)
def test_actual_goes_before_forecast_and_then_the_newest(
    cache: DiskCache, first: Intensity, second: Intensity, kept: float
) -> None:
    cache.store("scripted", [first])
    cache.store("scripted", [second])
    assert [r.g_per_kwh for r in _all(cache)] == [kept]


def test_the_last_forecast_is_kept_whole_and_an_older_one_does_not_undo_it(cache: DiskCache) -> None:
    def issued(at_utc: datetime) -> Series:
        return Series([reading(300, start_utc=at_utc + n * HALF_HOUR, status="forecast") for n in range(3)])

    early, late = issued(NOON - HALF_HOUR), issued(NOON)
    assert cache.forecast(KEY) is None
    cache.store_forecast("scripted", late)
    cache.store_forecast("scripted", early)
    assert cache.forecast(KEY) == late

    cache.store_forecast("scripted", issued(NOON + DAY))  # by a clock that is a day ahead
    cache.store_forecast("scripted", late)
    assert cache.forecast(KEY) == late
    cache.store_forecast("scripted", Series([]))
    assert cache.forecast(KEY) == late


def test_days_that_are_too_old_are_removed_and_nothing_else_is(tmp_path: Path) -> None:
    clock = ManualClock()
    cache = DiskCache(tmp_path, now_utc=clock, keep=30 * DAY)
    cache.store("gone", [reading(1)])
    cache.store("scripted", [reading(2, start_utc=NOON - 31 * DAY)])
    assert _all(cache) == []
    mine = tmp_path / FOLDER.parent / "notes"
    mine.mkdir(parents=True)
    for name in ("2020-01-01.json.mine.txt", "2020-99-99.json", "notes.txt"):
        (tmp_path / "gone" / "GB" / "average-direct" / name).write_text("mine")
    clock.advance(31 * 86400)
    cache.store("scripted", [reading(3, start_utc=clock())])
    left = {path.name for path in (tmp_path / "gone").rglob("*") if path.suffix in (".json", ".txt")}
    assert left == {"2020-01-01.json.mine.txt", "2020-99-99.json", "notes.txt"}
    assert len(_all(cache, KEY)) == 0  # beyond the span asked for
    assert len(cache.readings(KEY, clock(), clock() + DAY)) == 1


CORRUPT = {
    "empty": lambda good: "",
    "half": lambda good: good[: len(good) // 2],
    "html": lambda good: "<html>",
    "list": lambda good: "[]",
    "null": lambda good: "null",
    "deep": lambda good: "[" * 100_000,
    "other version": lambda good: good.replace("version 1", "version 2"),
    "other zone": lambda good: good.replace('"GB"', '"FR"'),
    "nan": lambda good: good.replace("200.0", "NaN"),
    "text": lambda good: good.replace("200.0", '"200"'),
    "huge": lambda good: good.replace("200.0", "1" * 5000),
    "naive": lambda good: good.replace("+00:00", ""),
    "no end": lambda good: good.replace("end_utc", "ende_utc"),
    "odd source": lambda good: good.replace('"source": "scripted", "fetched', '"source": 7, "fetched'),
    "row": lambda good: good.replace("{", "7", 2),
    "twice": lambda good: good.replace("\n]", ",\n" + good.splitlines()[1] + "\n]"),
}


@pytest.mark.parametrize("spoil", CORRUPT.values(), ids=CORRUPT)
def test_a_file_that_cannot_be_read_is_set_aside_with_one_line_in_the_log(
    cache: DiskCache, spoil: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    cache.store("scripted", [reading(200)])
    path = cache.folder / FOLDER / "2026-03-02.json"
    good = path.read_text("utf-8")
    assert spoil(good) != good
    path.write_text(spoil(good), "utf-8")
    assert _all(cache) == []
    assert _all(cache) == []
    assert len(caplog.records) == 1
    assert "2026-03-02.json.unreadable" in caplog.text
    assert path.with_name("2026-03-02.json.unreadable").read_text("utf-8") == spoil(good)
    cache.store("scripted", [reading(201)])
    assert _all(cache) == [reading(201)]


def test_bytes_that_are_no_text_are_set_aside_by_a_writer_too(cache: DiskCache) -> None:
    path = cache.folder / FOLDER / "2026-03-02.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe\x00")
    cache.store("scripted", [reading(201)])
    assert _all(cache) == [reading(201)]


def test_what_a_killed_writer_left_is_not_read_and_does_not_stay(cache: DiskCache) -> None:
    cache.store("scripted", [reading(200)])
    half = cache.folder / FOLDER / "2026-03-02.json.half"
    half.write_text('{"format": "spr')
    assert _all(cache) == [reading(200)]
    cache.store("scripted", [reading(201, start_utc=NOON + HALF_HOUR)])
    assert len(_all(cache)) == 2
    assert not half.exists()


def _no_folder(path: Path) -> Path:
    (path / "file").write_text("in the way")
    return path / "file" / "cache"


def _only_a_directory_where_a_file_belongs(path: Path) -> Path:
    (path / FOLDER / "2026-03-02.json").mkdir(parents=True)
    (path / FOLDER / "forecast.json").mkdir()
    return path


@pytest.mark.parametrize("spoil", [_no_folder, _only_a_directory_where_a_file_belongs, lambda _: Path("/proc/none")])
def test_a_disk_that_cannot_be_used_costs_one_warning(
    tmp_path: Path, spoil: Callable[[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    cache = DiskCache(spoil(tmp_path), now_utc=ManualClock())
    for _ in range(3):
        cache.store("scripted", [reading(200)])
        cache.store_forecast("scripted", Series([reading(200, status="forecast")]))
        assert _all(cache) == []
        assert cache.forecast(KEY) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "going on without" in caplog.text


def test_a_lock_that_is_never_given_back_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = DiskCache(tmp_path, now_utc=ManualClock(), lock_wait_s=0.05)
    cache.store("scripted", [reading(200)])
    with FileLock(tmp_path / FOLDER / ".lock"):
        cache.store("scripted", [reading(201, start_utc=NOON + HALF_HOUR)])
        assert _all(cache) == [reading(200)]
    assert "Timeout" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize(
    "name", ["../../../escape", "..", ".", "", "a > b", "trace:/data/x y.csv", "ü" * 200, "x" * 400, "nul\0byte", " "]
)
def test_any_name_of_a_source_stays_inside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "cache"
    cache = DiskCache(folder, now_utc=ManualClock())
    cache.store(name, [reading(200)])
    assert _all(cache, CacheKey(name, "GB", "average", "direct")) == [reading(200)]
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert len(list(folder.glob("*/GB/average-direct/2026-03-02.json"))) == 1


def test_long_names_that_begin_alike_are_told_apart() -> None:
    assert (
        CacheKey("x" * 400, "GB", "average", "direct").folder != CacheKey("x" * 401, "GB", "average", "direct").folder
    )


def _rank(one: Intensity) -> tuple[int, datetime]:
    return ["forecast", "estimated", "actual"].index(one.status), one.fetched_at_utc


slots = st.builds(
    lambda start, length, g, status: reading(
        g, start_utc=NOON + start * timedelta(minutes=15), slot_s=length * 900, status=status
    ),
    st.integers(-200, 50),
    st.sampled_from([1, 2, 4]),
    st.floats(0, 5000),
    st.sampled_from(["actual", "estimated", "forecast"]),
)


@given(st.lists(slots, max_size=20))
def test_any_readings_make_one_series_of_the_better_ones(readings: list[Intensity]) -> None:
    series = merged(readings)
    assert set(series) <= set(readings)
    assert merged(series) == series
    for one in readings:
        rivals = [r for r in series if r.start_utc < one.end_utc and one.start_utc < r.end_utc]
        assert any(_rank(r) >= _rank(one) for r in rivals)


@given(st.lists(slots, max_size=20))
def test_text_holds_all_that_a_reading_says(readings: list[Intensity]) -> None:
    series = merged(readings)
    assert parse(KEY, to_text(KEY, series).encode()) == series


documents = st.recursive(st.none() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))


@given(st.binary() | documents.map(lambda document: json.dumps(document).encode()))
def test_anything_else_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(KEY, content)
