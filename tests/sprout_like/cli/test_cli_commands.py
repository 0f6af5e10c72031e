"""What the commands print and which exit code they have."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer.main
from sqlalchemy import update

from sprout_like import CarbonAware, Settings
from sprout_like.cli.commands import app
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.schema import RequestRow, StoredRequestRow
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.testing import sample_request
from sprout_like.meters.testing import FakeMeter
from sprout_like.testing import NullEngine

Command = Callable[..., Any]


@pytest.fixture
def ledger(place: Path) -> Path:
    """A ledger of six requests and a baseline."""
    meter = FakeMeter()
    engine = NullEngine(on_run=lambda: meter.draw("fake:cpu", 12.5))
    path = place / "some" / "ledger.sqlite"
    with CarbonAware(None, engine=engine, grid="static:150", policy="brief", ledger=path, meter=meter) as aware:
        for _ in range(6):
            aware.generate()
        aware.using(policy="full", purpose="baseline").generate()
    return path


def _words(text: str) -> str:
    return " ".join(text.split())


def test_help_names_every_command_and_version_the_version(installed_command: Command) -> None:
    helped, versioned = installed_command("--help"), installed_command("--version")

    assert (helped.code, helped.err) == (0, "")
    for command in ("demo", "report", "doctor", "grid", "ledger"):
        assert f"  {command} " in helped.out
    assert (versioned.code, versioned.out) == (0, f"sprout-like {version('sprout-like')}\n")


def test_a_wrong_option_of_the_installed_command(installed_command: Command) -> None:
    outcome = installed_command("report", "--nope")

    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(r"error: No such option: --nope.*\n", outcome.err)


def _all_commands() -> dict[str, Any]:
    group = typer.main.get_command(app)
    found = {"": group}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found[name] = command
        found |= {f"{name} {n}": c for n, c in getattr(command, "commands", {}).items()}
    return found


@pytest.mark.parametrize("name", _all_commands())
def test_every_command_and_option_is_explained_in_whole_sentences(sprout_like: Command, name: str) -> None:
    outcome = sprout_like(*name.split(), "--help")

    assert outcome.code == 0
    assert "..." not in outcome.out.partition("\n\n")[2]  # a sentence cut short; in the usage it means "several"
    assert max(map(len, outcome.out.splitlines())) <= 80
    for option in _all_commands()[name].params:
        assert option.help
        shown = option.opts if option.param_type_name == "option" else [option.metavar]
        assert all(flag in outcome.out for flag in shown)
        assert _words(option.help)[:30] in _words(outcome.out)


@pytest.mark.parametrize("arguments", [[], ["grid"], ["ledger"]])
def test_without_a_command_the_help_is_shown(sprout_like: Command, arguments: list[str]) -> None:
    assert sprout_like(*arguments) == sprout_like(*arguments, "-h")


def test_report_as_table(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("report", "--ledger", ledger)

    assert (outcome.code, outcome.err) == (0, "")
    assert "brief 6 192 75.00 0.00 3.12 12.50 520.83" in _words(outcome.out)
    assert "baselines" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_report_as_json_and_csv_of_the_same_rows(sprout_like: Command, ledger: Path) -> None:
    as_json = json.loads(sprout_like("report", "--format", "json", "--ledger", ledger).out)
    as_csv = list(csv.DictReader(io.StringIO(sprout_like("report", "--format", "csv", "--ledger", ledger).out)))

    assert [line["group"] for line in as_json["lines"]] == [["brief"], ["full"]]
    assert as_json["lines"][0]["usage"]["energy_j"]["value"] == 75.0
    assert [{key: row[key] for key in ("directive", "energy_j")} for row in as_csv] == [
        {"directive": "brief", "energy_j": "75.0"},
        {"directive": "full", "energy_j": "12.5"},
    ]


def test_options_work_in_any_order_and_moments_with_any_offset(sprout_like: Command, place: Path) -> None:
    """The rows begin at 12:00:00 and 12:00:01 UTC."""
    path = place / "ledger.sqlite"
    opened = open_ledger(path, spool_path=place / "spool.sqlite")
    for number in range(2):
        opened.append(sample_request(number))
    opened.close()
    options = [("--ledger", path), ("--by", "day"), ("--format", "csv")]

    def requests(*options: tuple[Any, ...]) -> list[str]:
        out = sprout_like("report", *(word for option in options for word in option)).out
        return [row["requests"] for row in csv.DictReader(io.StringIO(out))]

    since = "--since", "2026-03-01T12:00:01"
    assert requests(*options) == requests(*reversed(options)) == ["2"]
    assert requests(since, *options) == requests(*options, since) == ["1"]
    assert requests(*options, ("--since", "2026-03-01T13:00:01+01:00")) == ["1"]
    assert requests(*options, ("--until", "2026-03-01T12:00:01Z")) == ["1"]
    assert requests(*options, ("--until", "2026-03-01")) == []


def test_report_reads_the_ledger_of_the_settings(
    sprout_like: Command, ledger: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", str(ledger))
    assert "brief" in sprout_like("report").out

    monkeypatch.delenv("SPROUT_LEDGER")
    (place / "sprout.toml").write_text(f'ledger = "{ledger}"')
    assert "brief" in sprout_like("report").out


def test_an_empty_span_is_no_error(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("report", "--until", "2020-01-01", "--ledger", ledger)

    assert (outcome.code, outcome.out) == (0, "The ledger holds no request in this span.\n")


def test_a_good_ledger_passes_the_check(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("ledger", "check", "--ledger", ledger)

    assert outcome.code == 0
    assert "7 requests and 1 energy accounts read." in outcome.out
    assert "All sums hold" in outcome.out
    assert json.loads(sprout_like("ledger", "check", "--json", "--ledger", ledger).out)["ok"] is True


def test_a_row_that_was_tampered_with_fails_the_check_and_is_named(sprout_like: Command, ledger: Path) -> None:
    engine = open_engine(ledger)
    with engine.begin() as connection:
        tampered = connection.scalars(RequestRow.__table__.select().with_only_columns(RequestRow.request_id)).all()[3]
        connection.execute(
            update(StoredRequestRow)
            .where(StoredRequestRow.request_id == tampered)
            .values(operational_g=StoredRequestRow.operational_g / 2)
        )
    engine.dispose()

    outcome = sprout_like("ledger", "check", "--ledger", ledger)
    as_json = sprout_like("ledger", "check", "--json", "--ledger", ledger)

    assert (outcome.code, as_json.code) == (1, 1)
    assert tampered in outcome.out
    assert "carbon is not energy x PUE x intensity" in _words(outcome.out)
    assert [finding["worst"] for finding in json.loads(as_json.out)["findings"]] == [tampered]


def test_the_check_has_a_tolerance(sprout_like: Command, ledger: Path) -> None:
    engine = open_engine(ledger)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE energy_accounts SET counter_j = counter_j * 1.05")
    engine.dispose()

    assert sprout_like("ledger", "check", "--ledger", ledger).code == 1
    assert sprout_like("ledger", "check", "--tolerance", "0.1", "--ledger", ledger).code == 0


def test_a_saving_is_measured_against_the_control_group(sprout_like: Command, place: Path) -> None:
    """Requests under the policy make 48 tokens, those of the control group 192: `very_brief` against `full`."""
    path, meter = place / "ledger.sqlite", FakeMeter()
    with CarbonAware(
        None,
        engine=_TokenEngine(meter),
        grid="static:500",
        ledger=path,
        meter=meter,
        settings=Settings.load(policy="threshold", control_share=0.4),
        rng=Random(3),
    ) as aware:
        for _ in range(100):
            aware.generate()

    saved = json.loads(sprout_like("report", "--format", "json", "--ledger", path).out)["savings"]
    energy, carbon = saved["measured"]

    assert (energy["quantity"], carbon["quantity"]) == ("energy", "carbon")
    assert energy["policy_n"] + energy["control_n"] == 100
    assert 25 < energy["control_n"] < 55
    assert [energy[key] for key in ("saving", "low", "high")] == pytest.approx([0.75] * 3)
    assert "Measured saving of energy against the control group: 75.0 %" in _words(
        sprout_like("report", "--ledger", path).out
    )


class _TokenEngine(NullEngine):
    """Draws a joule for every eight tokens."""

    def __init__(self, meter: FakeMeter) -> None:
        super().__init__(new_tokens=192)
        self._meter = meter

    def run(self, plan: Any, call: Any, window: Any) -> Any:
        generation = super().run(plan, call, window)
        self._meter.draw("fake:cpu", generation.new_tokens / 8)
        return generation


def test_a_report_is_printed_in_any_encoding(installed_command: Command, ledger: Path) -> None:
    outcome = installed_command("report", "--ledger", str(ledger), PYTHONIOENCODING="ascii")

    assert (outcome.code, outcome.err) == (0, "")
    assert "\\xb1 J" in outcome.out


def test_flush_sends_what_waits(sprout_like: Command, ledger: Path, place: Path) -> None:
    spool = Spool(place / "data" / "sprout-like" / "spool.sqlite", f"sqlite:///{ledger}")
    spool.put([sample_request(1), sample_request(2)])
    spool.close()
    assert "2 rows still wait in the spool" in sprout_like("ledger", "check", "--ledger", ledger).out

    outcome = sprout_like("ledger", "flush", "--ledger", ledger)

    assert (outcome.code, outcome.out) == (0, "nothing waits: every row is in the database\n")
    assert "9 requests" in sprout_like("ledger", "check", "--ledger", ledger).out


def test_flush_says_how_many_rows_still_wait(sprout_like: Command, place: Path) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/carbon"
    spool = Spool(place / "data" / "sprout-like" / "spool.sqlite", "postgresql://127.0.0.1:1/carbon")
    spool.put([sample_request(1)])
    spool.close()

    outcome = sprout_like("ledger", "flush", "--ledger", url)

    assert (outcome.code, outcome.out) == (1, "rows still waiting: 1\n")
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize("command", [["report"], ["ledger", "check"], ["ledger", "flush"]], ids=" ".join)
def test_reading_makes_no_ledger_and_no_spool(sprout_like: Command, place: Path, command: list[str]) -> None:
    assert sprout_like(*command).code == 2
    assert list(place.rglob("*")) == []


def test_the_check_makes_no_spool(sprout_like: Command, ledger: Path, place: Path) -> None:
    shutil.rmtree(place / "data")

    assert sprout_like("ledger", "check", "--ledger", ledger).code == 0
    assert not (place / "data").exists()


@pytest.mark.parametrize("statement", ["import sprout_like", "from sprout_like.cli.main import run; run(['--help'])"])
def test_nothing_heavy_is_loaded_before_it_is_needed(statement: str) -> None:
    heavy = {"torch", "transformers", "sqlalchemy", "apscheduler", "alembic", "httpx", "pydantic_settings", "rich"}
    if "cli" in statement:
        heavy -= {"rich"}  # Typer's own
    code = f"import sys, atexit\natexit.register(lambda: print('LOADED', *sys.modules))\n{statement}"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout

    assert heavy.isdisjoint(out.rpartition("LOADED")[2].split())
