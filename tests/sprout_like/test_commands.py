"""The commands from the outside: what they print, their exit codes, and one line for every wrong input."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grid.testing import LoopbackUK
from sprout_like import CarbonAware, Settings
from sprout_like.cli.main import run
from sprout_like.testing import FakeMeter, ManualClock, NullEngine

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In an empty folder, with a data folder of its own, and never on the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SPROUT_GRID", "static:150")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            run(arguments)
        out, err = capsys.readouterr()
        return int(exited.value.code or 0), out, err

    return call


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Requests under the policy, its control group and a baseline, from a meter that draws 40 W."""
    path = tmp_path / "ledger.sqlite"
    clock = ManualClock()
    engine = NullEngine(on_run=lambda: clock.advance(0.5))
    settings = Settings.load(control_share=0.5)
    meter = FakeMeter(clock=clock, watts=40.0)
    with CarbonAware(None, engine=engine, clock=clock, grid=150, meter=meter, ledger=path, settings=settings) as aware:
        for index in range(40):
            aware.chat("x", task="sum" if index % 2 else "question")
        aware.using(policy="full", purpose="baseline").chat("x")
        clock.advance(10)
    return path


def test_a_report_adds_up(command: Run, ledger: Path) -> None:
    code, out, _ = command("report", "--ledger", str(ledger), "--format", "json")
    summary = json.loads(out)
    assert code == 0
    lines = summary["lines"]
    assert sum(line["requests"] for line in lines) == 41
    assert sum(line["energy_j"] for line in lines) == pytest.approx(41 * 20.0)
    assert {(line["group"], line["purpose"]) for line in lines} == {
        ("full", "request"),
        ("brief", "request"),
        ("full", "baseline"),
    }
    assert sum(line["operational_g"] for line in lines) == pytest.approx(41 * 20.0 / 3.6e6 * 150)
    energy = next(s for s in summary["savings"] if s["quantity"] == "energy")
    assert energy["policy_n"] + energy["control_n"] == 40
    assert energy["saving"] == pytest.approx(0)  # the fake model draws the same under every directive
    assert energy["low"] <= energy["saving"] <= energy["high"]
    assert summary["overheads"]["idle_j"] >= 400


def test_the_formats_say_the_same(command: Run, ledger: Path) -> None:
    _, as_json, _ = command("report", "--ledger", str(ledger), "--by", "task", "--format", "json")
    _, as_csv, _ = command("report", "--ledger", str(ledger), "--by", "task", "--format", "csv")
    _, table, _ = command("report", "--ledger", str(ledger), "--by", "task")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    for row, line in zip(rows, json.loads(as_json)["lines"], strict=True):
        assert row["group"] == (line["group"] or "")
        assert float(row["energy_j"]) == line["energy_j"]
        assert f"{line['energy_j']:,.1f}" in table
    assert all(len(line) <= 80 for line in table.splitlines())


@pytest.mark.parametrize("by", ["day", "model", "zone", "policy", "energy_method", "meter", "status"])
def test_every_grouping_counts_every_request(command: Run, ledger: Path, by: str) -> None:
    _, out, _ = command("report", "--ledger", str(ledger), "--by", by, "--format", "json")
    assert sum(line["requests"] for line in json.loads(out)["lines"]) == 41


def test_a_span_is_half_open(command: Run, ledger: Path) -> None:
    day = ("--ledger", str(ledger), "--format", "json")
    _, out, _ = command("report", *day, "--since", "2026-01-15", "--until", "2026-01-16")
    assert sum(line["requests"] for line in json.loads(out)["lines"]) == 41
    _, out, _ = command("report", *day, "--until", "2026-01-15T12:00:00")
    assert json.loads(out)["lines"] == []
    _, out, _ = command("report", "--ledger", str(ledger), "--since", "2027-01-01")
    assert "no request" in out


def test_kinds_of_grams_are_never_added_up(command: Run, ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE requests SET intensity_kind = 'marginal' WHERE task = 'sum'")
        connection.execute("UPDATE requests SET intensity_factors = 'direct' WHERE purpose = 'baseline'")
    _, out, _ = command("report", "--ledger", str(ledger), "--format", "json")
    kinds = {(line["intensity_kind"], line["intensity_factors"]) for line in json.loads(out)["lines"]}
    assert kinds == {("average", "lifecycle"), ("marginal", "lifecycle"), ("average", "direct")}
    _, table, _ = command("report", "--ledger", str(ledger))
    assert table.count("total") == 3


def test_unknown_is_a_dash_in_the_table_and_null_in_json(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "unknown.sqlite"
    with CarbonAware(None, engine=NullEngine(), grid=150, meter="none", ledger=path) as aware:
        aware.chat("x")
    _, out, _ = command("report", "--ledger", str(path), "--format", "json")
    (line,) = json.loads(out)["lines"]
    assert (line["energy_j"], line["operational_g"], line["energy_unknown"]) == (None, None, 1)
    _, table, _ = command("report", "--ledger", str(path))
    assert "–" in table
    assert "1 of 1 requests have unknown energy" in " ".join(table.split())


def test_a_good_ledger_passes_the_check(command: Run, ledger: Path) -> None:
    code, out, _ = command("ledger", "check", "--ledger", str(ledger))
    assert code == 0
    assert "All sums hold" in out


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE requests SET operational_g = operational_g * 1.001 WHERE request_id = ?",
        "UPDATE requests SET energy_j = energy_j + 1 WHERE request_id = ?",
        "UPDATE requests SET propensity = 0 WHERE request_id = ?",
        "DELETE FROM requests WHERE request_id = ?",
    ],
)
def test_a_ledger_that_was_tampered_with_does_not(command: Run, ledger: Path, tampering: str) -> None:
    with sqlite3.connect(ledger) as connection:
        (victim,) = connection.execute("SELECT request_id FROM requests WHERE task = 'sum' LIMIT 1").fetchone()
        connection.execute(tampering, (victim,))
    code, out, _ = command("ledger", "check", "--ledger", str(ledger), "--json")
    report = json.loads(out)
    assert code == 1
    assert report["ok"] is False
    assert report["findings"]
    if "DELETE" not in tampering:
        assert victim in {finding["worst"] for finding in report["findings"]}


def test_doctor_names_every_part_and_the_command_that_fixes_it(
    command: Run, monkeypatch: pytest.MonkeyPatch, ledger: Path
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", str(ledger))
    with LoopbackUK() as server:
        monkeypatch.setenv("SPROUT_GRID", f"uk+{server.url}")
        code, out, _ = command("doctor", "--json")
    findings = {f["part"]: f for f in json.loads(out)["findings"]}
    assert code == 0
    assert {"settings", "policy", "grid", "meter", "gpu", "ledger", "spool", "model"} <= findings.keys()
    assert "210 g/kWh" in findings["grid"]["found"]
    assert "41 requests" in findings["ledger"]["found"]
    monkeypatch.setenv("SPROUT_GRID", f"uk+{server.url}")  # which has stopped
    code, out, _ = command("doctor", "--json")
    grid = next(f for f in json.loads(out)["findings"] if f["part"] == "grid")
    assert code == 1
    assert (grid["state"], "SPROUT_GRID=" in grid["fix"]) == ("fail", True)


def test_doctor_writes_nothing(command: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = command("doctor")
    assert code == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert "💯" not in out


def test_doctor_counts_rows_that_wait_and_hides_the_password(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from grid.testing import LoopbackUK as ClosedPort

    with ClosedPort() as server:
        port = server.url.rpartition(":")[2]
    url = f"postgresql://me:hunter2@127.0.0.1:{port}/carbon"
    monkeypatch.setenv("SPROUT_LEDGER", url)
    with CarbonAware(None, engine=NullEngine()) as aware:
        for _ in range(3):
            aware.chat("x")
    code, out, err = command("doctor")
    assert code == 1
    assert "hunter2" not in out + err
    assert "waiting" in out or "wait for the database" in out
    assert "sprout-like ledger flush" in out


WRONG: list[tuple[tuple[str, ...], dict[str, str], str]] = [
    (("report", "--ledger", "absent.sqlite"), {}, "absent.sqlite"),
    (("report", "--ledger", "mysql://x/y"), {}, "mysql"),
    (("report", "--by", "nope"), {}, "nope"),
    (("report", "--format", "nope"), {}, "nope"),
    (("report", "--since", "yesterday"), {}, "yesterday"),
    (("report", "--no-such-option"), {}, "no-such-option"),
    (("no-such-command",), {}, "no-such-command"),
    (("report",), {"SPROUT_LEGDER": "x"}, "SPROUT_LEGDER"),
    (("report",), {"SPROUT_PUE": "high"}, "SPROUT_PUE"),
    (("ledger", "check", "--ledger", "absent.sqlite"), {}, "absent.sqlite"),
    (("demo", "--out", "/proc/version/x"), {}, "--out"),
    (("demo", "--json", "/proc/version/x.json"), {}, "--json"),
]


@pytest.mark.parametrize(("arguments", "environment", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_every_wrong_input_is_one_line(
    command: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], environment: dict[str, str], says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, out, err = command(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert says in err
    assert not out


def test_a_bad_file_of_settings_is_one_line(command: Run, tmp_path: Path) -> None:
    (tmp_path / "sprout.toml").write_text("zoen = 'GB'\n")
    code, _, err = command("report")
    assert (code, err.count("\n")) == (2, 1)
    assert "zoen" in err
    assert "sprout.toml" in err


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("demo", "--help"), ("ledger", "check", "--help"), ("--version",)]
)
def test_help_is_there(command: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert (code, err) == (0, "")
    assert "sprout-like" in out


@pytest.mark.model
def test_the_demonstration(tiny_model: Any, tokenizer: Any, tmp_path: Path, command: Run) -> None:
    from rich.console import Console

    from sprout_like.demo.day import load_day
    from sprout_like.demo.prompts import PROMPTS
    from sprout_like.demo.render import result
    from sprout_like.demo.run import Pair, replay_day
    from sprout_like.demo.summary import as_data, totals

    day = load_day(ManualClock().now_utc, offline=True)
    assert day.label.startswith("MODELLED")
    pairs: list[Pair] = []
    path = tmp_path / "demo.sqlite"
    replay_day(tiny_model, tokenizer, day, ledger=path, settings=Settings.load(), on_pair=pairs.append)
    assert len(pairs) == len(PROMPTS) >= 12
    assert {p.prompt.task for p in pairs} == {"question", "summary", "reasoning", "code"}
    hours = [p.when_utc.hour for p in pairs]
    assert hours == sorted(set(hours))
    assert max(hours) - min(hours) >= 20
    assert {p.served.directive for p in pairs} == {"full", "brief", "very_brief"}
    assert all(p.full.directive == "full" and p.full.purpose == "baseline" for p in pairs)
    assert all(p.served.intensity_g_per_kwh == p.full.intensity_g_per_kwh for p in pairs)
    summed = totals(pairs)
    served_j = sum(p.served.energy_j or 0 for p in pairs)
    full_j = sum(p.full.energy_j or 0 for p in pairs)
    assert summed.energy_saving == pytest.approx(1 - served_j / full_j)
    data = as_data(pairs, day.label, "tiny")
    assert data["totals"]["energy_j"] == pytest.approx(served_j)
    stream = io.StringIO()
    Console(file=stream, width=80, emoji=False).print(result(pairs, day.label, "tiny"))
    assert "MODELLED" in stream.getvalue()
    assert "…" not in stream.getvalue()  # nothing is cut off at 80 columns
    assert command("ledger", "check", "--ledger", str(path))[0] == 0


def test_the_demonstrations_day_is_live_where_the_source_answers_in_time() -> None:
    from sprout_like.clock import SystemClock
    from sprout_like.demo.day import load_day

    with LoopbackUK() as server:
        live = load_day(SystemClock().now_utc, source=f"uk+{server.url}", wait_s=20)
    assert live.label.startswith("live: uk-national")
    assert len(live.series) >= 46
    gone = load_day(SystemClock().now_utc, source=f"uk+{server.url}", wait_s=20)
    assert gone.label.startswith("MODELLED")


@pytest.mark.model
def test_ctrl_c_leaves_a_valid_ledger(tmp_path: Path, command: Run) -> None:
    import signal
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-m", "sprout_like", "demo", "--offline", "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "g/kWh" not in (line := process.stdout.readline()):
        assert line, process.communicate()[1]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "the ledger holds what was run" in " ".join(out.split())
    assert command("ledger", "check", "--ledger", str(tmp_path / "out" / "ledger.sqlite"))[0] == 0
