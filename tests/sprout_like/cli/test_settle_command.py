"""`sprout-like ledger settle`, against the UK's API on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grid.testing import Answer, LoopbackUK
from sprout_like.carbon import operational_g
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request

Command = Callable[..., Any]


@pytest.fixture
def api() -> Iterator[LoopbackUK]:
    """Its figures are 210 g/kWh, and those of the requests below 180."""
    with LoopbackUK(g_per_kwh=lambda _: 210) as api:
        yield api


@pytest.fixture
def ledger(place: Path, api: LoopbackUK, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four requests by a forecast, one of them in France, where the UK's API knows nothing."""
    monkeypatch.setenv("SPROUT_GRID", f"uk+{api.url}")
    path = place / "ledger.sqlite"
    opened = open_ledger(path, spool_path=place / "spool.sqlite")
    for number, zone in enumerate(("GB", "GB", "GB", "FR")):
        opened.append(sample_request(number, zone=zone, intensity_status="forecast"))
    opened.close()
    return path


def test_settles_and_says_how_far_the_total_moved(sprout_like: Command, ledger: Path, api: LoopbackUK) -> None:
    outcome = sprout_like("ledger", "settle", "--ledger", ledger)

    text = " ".join(outcome.out.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert "GB average, direct 3 0 3.6 mg 4.2 mg +600 µg +16.7 %" in text
    assert "Still provisional: 1 in FR (average, direct): " in text
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert len(api.asked) == 1

    again = sprout_like("ledger", "settle", "--ledger", ledger)
    assert "Nothing changed." in again.out
    assert len(api.asked) == 1


def test_a_dry_run_writes_nothing_and_json_has_the_figures(sprout_like: Command, ledger: Path) -> None:
    options = ("ledger", "settle", "--json", "--ledger", ledger)
    dry, wet, again = (json.loads(sprout_like(*options, *more).out) for more in (["--dry-run"], [], []))

    assert (dry["dry_run"], dry["changed"], wet["changed"], again["changed"]) == (True, 3, 3, 0)
    settled = [group for group in wet["groups"] if group["zone"] == "GB"]
    assert settled[0]["after_g"] == pytest.approx(3 * operational_g(20.0, 210.0, 1.2))


def test_a_zone_and_a_moment_narrow_it(sprout_like: Command, ledger: Path) -> None:
    options = ("ledger", "settle", "--json", "--ledger", ledger, "--dry-run")

    of_zone = json.loads(sprout_like(*options, "--zone", "GB").out)
    later = json.loads(sprout_like(*options, "--since", "2026-03-01T12:00:02").out)

    assert (of_zone["changed"], of_zone["still_open"]) == (3, [])
    assert (later["changed"], len(later["still_open"])) == (1, 1)


def test_a_source_that_refuses_is_told_with_exit_code_1(sprout_like: Command, ledger: Path, api: LoopbackUK) -> None:
    api.answer = Answer("no", status=403)

    outcome = sprout_like("ledger", "settle", "--ledger", ledger)

    assert outcome.code == 1
    assert "403" in outcome.out
    assert "The source failed" in outcome.out


def test_the_report_follows_and_the_check_passes_on_it(sprout_like: Command, ledger: Path) -> None:
    sprout_like("ledger", "settle", "--ledger", ledger)

    report = json.loads(sprout_like("report", "--by", "zone", "--format", "json", "--ledger", ledger).out)
    check = sprout_like("ledger", "check", "--json", "--ledger", ledger)

    lines = {line["group"][0]: line["emission"] for line in report["lines"]}
    assert lines["GB"]["operational_g"]["value"] == pytest.approx(3 * operational_g(20.0, 210.0, 1.2))
    assert (lines["GB"]["settled"], lines["GB"]["provisional"]) == (3, 0)
    assert (lines["FR"]["settled"], lines["FR"]["provisional"]) == (0, 1)
    assert json.loads(check.out)["findings"] == []


def test_an_unknown_source_is_one_line(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("ledger", "settle", "--ledger", ledger, "--grid", "nowhere")

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "nowhere" in outcome.err
