"""What is in use, what is missing and how to fix it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grid.testing import Answer, LoopbackUK
from sprout_like.cli.main import run
from sprout_like.doctor.finding import Finding

Examined = Callable[..., dict[str, list[Finding]]]


def _set(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"SPROUT_{name.upper()}", str(value))


def test_on_a_fresh_machine_every_part_has_a_finding_and_only_the_grid_fails(examined: Examined, place: Path) -> None:
    found = examined()

    assert list(found) == ["settings", "policy", "grid", "meter", "gpu", "ledger", "spool"]
    assert [part for part, findings in found.items() if any(f.state == "fail" for f in findings)] == ["grid"]
    (grid,) = found["grid"]
    assert "uk, zone GB" in grid.found
    assert "no answer from 127.0.0.1" in grid.found
    assert "SPROUT_GRID=static" in str(grid.fix)


def test_whatever_is_missing_comes_with_its_fix(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, control_share=0, ledger="file/x.sqlite", spool="file/y.sqlite", meter="none")
    Path("file").touch()

    found = [finding for findings in examined().values() for finding in findings]

    wrong = {finding.part for finding in found if finding.state != "ok"}
    assert wrong == {"policy", "grid", "meter", "ledger", "spool"}
    assert [finding for finding in found if finding.state != "ok" and not finding.fix] == []


def test_a_classifier_that_would_stop_the_middleware_fails(
    examined: Examined, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "classes.json").write_text("{", "utf-8")
    _set(monkeypatch, classes="classes.json")

    (finding,) = examined()["classes"]

    assert (finding.state, finding.found) == ("fail", "classes.json: this is no classifier")
    assert "sprout-like classes train" in str(finding.fix)


def test_it_writes_nothing(examined: Examined, place: Path) -> None:
    examined()

    assert list(place.rglob("*")) == []


def test_a_wrong_setting_ends_the_examination(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, zonne="GB")

    ((finding,),) = examined().values()

    assert (finding.part, finding.state) == ("settings", "fail")
    assert "SPROUT_ZONNE" in finding.found
    assert finding.fix == "Did you mean 'zone'?"


def test_a_settings_file_in_use_is_named(examined: Examined, place: Path) -> None:
    (place / "sprout.toml").write_text('policy = "brief"')

    found = examined()

    assert str(place / "sprout.toml") in found["settings"][0].found
    assert "brief" in found["policy"][0].found


@pytest.mark.parametrize(
    ("setting", "value", "part", "problem", "fix"),
    [
        ("grid", "stat:100", "grid", "'stat:100' is not a source. Did you mean 'static'?", "SPROUT_GRID"),
        ("zone", "GBR", "grid", "'GBR'", "SPROUT_ZONE"),
        (
            "policy",
            "breif",
            "policy",
            "'breif' is neither a policy nor a directive",
            "Use one of: contextual, threshold",
        ),
        ("catalogue", "none.toml", "policy", "none.toml", "leave the setting out"),
        ("meter", "nvlm", "meter", "'nvlm' names no meter", "Use auto"),
        ("ledger", "mysql://me:hunter2@db/x", "ledger", "mysql is not supported", "postgresql://"),
    ],
)
def test_a_setting_that_cannot_be_honoured_fails_its_part_and_no_other(
    examined: Examined, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, part: str, problem: str, fix: str
) -> None:
    _set(monkeypatch, **{"grid": "static:100", setting: value})

    found = examined()

    assert [p for p, findings in found.items() if any(f.state == "fail" for f in findings)] == [part]
    (finding,) = found[part]
    assert problem in finding.found
    assert fix in str(finding.fix)
    assert "hunter2" not in str(found)


def test_a_static_grid_works_and_is_warned_of(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, grid="static:150")

    (grid,) = examined()["grid"]

    assert grid.state == "warn"
    assert "150 g/kWh (average, lifecycle, static)" in grid.found
    assert "a source that covers GB (energy-charts, uk," in str(grid.fix)


def test_a_live_grid_is_well(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackUK(g_per_kwh=lambda _: 123) as server:
        _set(monkeypatch, grid=f"uk+{server.url}")
        (grid,) = examined()["grid"]

    assert (grid.state, grid.fix) == ("ok", None)
    assert "uk, zone GB: 133 g/kWh (average, direct, forecast)" in grid.found


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=403), "answered 403"),
        (Answer(status=500), "answered 500"),
        (Answer("null"), "no list of objects named 'data'"),
    ],
)
def test_a_grid_that_answers_wrongly_fails(
    examined: Examined, monkeypatch: pytest.MonkeyPatch, answer: Answer, said: str
) -> None:
    with LoopbackUK() as server:
        server.answer = answer
        _set(monkeypatch, grid=f"uk+{server.url}")
        (grid,) = examined()["grid"]

    assert grid.state == "fail"
    assert said in grid.found
    assert "SPROUT_GRID=static" in str(grid.fix)


def test_a_power_model_is_used_and_warned_of(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, meter="cpu")

    assert {finding.state for finding in examined()["meter"]} == {"warn"}


def test_the_command_prints_a_line_a_finding_and_its_fix_and_exits_1_for_a_failure(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = _command(capsys)

    assert code == 1
    assert "FAIL grid     uk, zone GB: " in out
    assert "\n               → Check the network" in out
    assert "ok   spool    nothing waits on this machine\n" in out


def test_the_command_exits_0_where_nothing_fails(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, grid="static:150")

    assert _command(capsys)[0] == 0


def test_json_holds_the_same_findings(place: Path, capsys: pytest.CaptureFixture[str], examined: Examined) -> None:
    code, out = _command(capsys, "--json")

    findings = json.loads(out)["findings"]
    assert code == 1
    assert [finding["part"] for finding in findings] == [f.part for part in examined().values() for f in part]
    assert set(findings[0]) == {"part", "state", "found", "fix"}


def _command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as exit_info:
        run(["doctor", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    return exit_info.value.code, printed.out
