"""From settings to a grid that outlives a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from grid import SourceSpecError, ZoneError
from grid.testing import NOON, LoopbackUK, ManualClock, reading
from sprout_like import Settings
from sprout_like.grids import open_grid, open_grid_source


def test_a_cloud_region_is_a_zone() -> None:
    with_place = Settings.load(zone="aws:eu-west-2", grid="static:100")
    grid = open_grid(with_place)
    assert grid.zone == "GB"
    grid.close()


def test_an_unknown_place_is_told() -> None:
    with pytest.raises(ZoneError, match="zone"):
        open_grid(Settings.load(zone="Atlantis", grid="static:100"))


def test_keys_reach_the_source_and_stay_unseen() -> None:
    settings = Settings.load(grid="eia", zone="US-CAL-CISO", eia_key="SECRET")
    source = open_grid_source(settings)
    assert source.name == "eia"
    assert "SECRET" not in f"{settings!r} {source!r}"
    source.close()


def test_a_missing_key_names_the_setting() -> None:
    with pytest.raises(SourceSpecError, match="set eia_key, or SPROUT_EIA_KEY"):
        open_grid_source(Settings.load(grid="eia", zone="US-CAL-CISO"))


def test_a_restart_without_network_knows_what_was_read_before(tmp_path: Path) -> None:
    clock = ManualClock(NOON + timedelta(minutes=10))
    with LoopbackUK(now_utc=clock) as server:
        settings = Settings.load(grid=f"uk+{server.url}", grid_cache=tmp_path)
        before = open_grid(settings, now_utc=clock)
        before.prime()
        before.close()
    after = open_grid(settings, now_utc=clock)
    assert after.look().intensity == before.look().intensity is not None
    after.close()


def test_the_cache_can_be_off(tmp_path: Path) -> None:
    with LoopbackUK(now_utc=(clock := ManualClock())) as server:
        grid = open_grid(Settings.load(grid=f"uk+{server.url}", grid_cache="off"), now_utc=clock)
        grid.prime()
        grid.close()
    assert not list(tmp_path.iterdir())


def test_sources_of_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    clock = ManualClock()
    with LoopbackUK(now_utc=clock) as first, LoopbackUK(now_utc=clock) as second:
        for server in (first, second):
            grid = open_grid(Settings.load(grid=f"uk+{server.url}", grid_cache=tmp_path), now_utc=clock)
            grid.prime()
            grid.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_is_named_after_the_source_and_shows_nothing_of_the_spec(tmp_path: Path) -> None:
    clock = ManualClock()
    with LoopbackUK(now_utc=clock) as server:
        for path in ("token-5e1f", "TOKEN-5e1f"):  # paths may differ in case alone
            grid = open_grid(Settings.load(grid=f"uk+{server.url}/{path}, uk", grid_cache=tmp_path), now_utc=clock)
            grid._past.add([reading(250)], clock())
            grid.close()
    names = [folder.name for folder in tmp_path.iterdir()]
    assert len(names) == 2
    assert all(name.startswith("uk-uk-") and "5e1f" not in name for name in names)


def test_a_trace_is_read_anew_and_never_kept(tmp_path: Path) -> None:
    trace, kept = tmp_path / "day.csv", tmp_path / "kept"
    settings = Settings.load(grid=str(trace), grid_cache=kept)
    seen = []
    for figure in (100, 200):
        trace.write_text(
            f"time_utc,g_per_kwh,zone\n2026-03-02T12:00Z,{figure},GB\n2026-03-02T13:00Z,{figure},GB\n", "utf-8"
        )
        grid = open_grid(settings, now_utc=ManualClock(NOON + timedelta(minutes=10)))
        grid.prime()
        seen.append(grid.history(NOON, NOON + timedelta(hours=1))[0].g_per_kwh)
        grid.close()
    assert seen == [100, 200]
    assert not kept.exists()
