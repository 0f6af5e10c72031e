"""What the doctor says of sources that are late, static, or somebody's own and faulty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from grid.clock import utc_now
from grid.testing import LoopbackEia, LoopbackUK
from sprout_like.doctor.finding import Finding

Examined = Callable[..., dict[str, list[Finding]]]

MODULE = """
from grid.testing import ScriptedSource

class Mine(ScriptedSource):
    def check_zone(self, zone):
        raise KeyError("key=SECRET")

def open_mine(opening):
    return Mine(250.0, name=opening.name)
"""


@pytest.mark.parametrize(
    ("grid", "zone", "fix"),
    [
        ("static:100", "aws:eu-west-2", "a source that covers GB (energy-charts, uk, electricity-maps (needs a key)"),
        ("static:100", "DE", "a source that covers DE (energy-charts, electricity-maps (needs a key), entsoe"),
        ("static:100", "US-CAL-CISO", "US-CAL-CISO (eia (needs a key), electricity-maps (needs a key), watttime"),
    ],
)
def test_of_a_static_source_it_names_those_that_cover_the_zone(
    examined: Examined, monkeypatch: pytest.MonkeyPatch, grid: str, zone: str, fix: str
) -> None:
    monkeypatch.setenv("SPROUT_GRID", grid)
    monkeypatch.setenv("SPROUT_ZONE", zone)
    (found,) = examined()["grid"]
    assert found.state == "warn"
    assert fix in str(found.fix)
    assert "yearly" not in str(found.fix)


def test_it_names_the_zone_that_a_place_is_in(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackUK(g_per_kwh=lambda _: 123) as server:
        monkeypatch.setenv("SPROUT_GRID", f"uk+{server.url}")
        monkeypatch.setenv("SPROUT_ZONE", "aws:eu-west-2")
        (found,) = examined()["grid"]
    assert found.found.startswith("uk, zone GB: ")


def test_a_source_whose_code_fails_is_one_finding_among_others(
    examined: Examined, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    (place / "our_faulty.py").write_text(MODULE)
    info = place / "our_faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sprout_like.grid_sources]\nour-faulty = our_faulty:open_mine\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv("SPROUT_GRID", "our-faulty")
    found = examined()
    assert list(found) == ["settings", "policy", "grid", "meter", "gpu", "ledger", "spool"]
    assert found["grid"][0].state == "fail"
    assert "our-faulty: KeyError in our_faulty.py, line 6" in found["grid"][0].found
    assert "SECRET" not in str(found)


def test_a_part_that_fails_unforeseen_is_one_finding_among_others(
    examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        @staticmethod
        def is_available() -> bool:
            raise RuntimeError("key=SECRET")

    import torch

    monkeypatch.setattr(torch, "cuda", Broken)
    found = examined()
    assert "RuntimeError in test_doctor_grid.py" in found["gpu"][0].found
    assert "ledger" in found
    assert "SECRET" not in str(found)


def test_a_source_that_is_a_day_late_works_by_a_forecast(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackEia(now_utc=lambda: utc_now() - timedelta(days=1), g_per_kwh=lambda _: 300) as server:
        monkeypatch.setenv("SPROUT_GRID", f"eia+{server.url}")
        monkeypatch.setenv("SPROUT_EIA_KEY", "k")
        monkeypatch.setenv("SPROUT_ZONE", "US-CAL-CISO")
        (found,) = examined()["grid"]
    assert found.state == "ok", found
    assert "forecast" in found.found
    assert "a forecast, as there is no reading for 2" in found.found
    assert "the newest that eia has" in found.found
