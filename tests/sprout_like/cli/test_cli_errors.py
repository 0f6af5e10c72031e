"""Whatever a user gets wrong is one line on stderr that names it and says what to do, and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request

WRONG = {
    "command": (["reprot"], "No such command 'reprot'", "sprout-like --help"),
    "subcommand": (["ledger", "chekc"], "No such command 'chekc'", "sprout-like ledger --help"),
    "option": (["report", "--form", "csv"], "--form", "--format"),
    "option before the command": (["--json", "report"], "--json", "sprout-like --help"),
    "missing value": (["report", "--by"], "'--by' requires an argument", "--help"),
    "argument": (["report", "extra"], "extra", "sprout-like report --help"),
    "by": (["report", "--by", "nope"], "--by: cannot group by 'nope'", "energy_method"),
    "almost by": (["report", "--by", "day,modle"], "Did you mean 'model'?", "tag:NAME"),
    "period": (["report", "--period", "march"], "--period: 'march' is none", "2026-03"),
    "two spans": (
        ["report", "--period", "day", "--since", "2026-03-02"],
        "--period: it is a span",
        "Leave out --since",
    ),
    "parquet on a screen": (["report", "--format", "parquet"], "--format: parquet is no text", "--out FILE"),
    "out without a format": (["report", "--out", "x.pdf"], "--out: x.pdf tells no format", "or give --format"),
    "out a folder": (["report", "--out", "."], "--out: . is a folder", "Name a file in it"),
    "out nowhere": (["report", "--out", "no/x.md"], "--out: there is no folder", "Make it, or name another"),
    "no report to verify": (["report", "verify", "nope.md"], "nope.md: cannot be read", "Name a report that is there"),
    "format": (["report", "--format", "nope"], "Invalid value for '--format': 'nope' is not one of", "'csv'"),
    "per": (["export", "codecarbon", "--per", "year"], "Invalid value for '--per': 'year' is not one of", "'day'"),
    "since": (["report", "--since", "yesterday"], "--since", "write 2026-03-01"),
    "a stamp as a number": (["report", "--until", "0"], "--until", "write 2026-03-01"),
    "a moment before all time": (["report", "--since", "0001-01-01T00:00+05:00"], "--since", "write 2026-03-01"),
    "span": (["report", "--since", "2026-03-02", "--until", "2026-03-02"], "--until: the span ends", "after --since"),
    "tolerance": (["ledger", "check", "--tolerance", "2"], "--tolerance", "less than or equal to 1"),
    "no ledger": (["report", "--ledger", "nope.sqlite"], "there is no ledger at", "Serve a request first"),
    "a name of two lines": (["report", "--ledger", "two\nlines"], "there is no ledger at", "Serve a request first"),
    "a name that steers": (
        ["report", "--ledger", "\x1b[2J\u202eetilqs"],
        "\ufffd[2J\ufffdetilqs",
        "Serve a request first",
    ),
    "no ledger to check": (["ledger", "check"], "there is no ledger at", "Serve a request first"),
    "a folder as ledger": (["report", "--ledger", "."], "is a folder", "Name a file in it"),
    "scheme": (["report", "--ledger", "mysql://me:hunter2@db/x"], "mysql is not supported", "sqlite:///FILE"),
    "malformed URL": (
        ["ledger", "check", "--ledger", "postgresql://me:hunter2@db:port/x"],
        "malformed",
        "postgresql://",
    ),
    "no server": (["report", "--ledger", "postgresql://me:hunter2@127.0.0.1:1/x"], "127.0.0.1:1/x", "refused"),
    "no ledger to settle": (["ledger", "settle"], "there is no ledger at", "Serve a request first"),
    "settle since": (["ledger", "settle", "--since", "yesterday"], "--since", "write 2026-03-01"),
    "flush to nowhere": (["ledger", "flush", "--ledger", "file/x.sqlite"], "there is no ledger at", "name another"),
    "flush to a name of nobody's": (["ledger", "flush"], "there is no ledger at", "name another"),
    "flush to no server": (["ledger", "flush", "--ledger", "postgresql://me:hunter2@127.0.0.1:1/x"], "127", "refused"),
    "a home of nobody": (["report", "--ledger", "~no_such_user/x"], "~no_such_user is the home of nobody", "file path"),
    "NUL in a name": (["ledger", "flush", "--ledger", "a\0b"], "cannot be the name of a file", "file path"),
    "out a device": (["report", "--out", "/dev/null", "--force"], "--out: /dev/null is a device", "leave out --out"),
    "out": (["demo", "--out", "file/out"], "--out: cannot write to file/out", "Name a folder"),
    "json in a missing folder": (
        ["demo", "--json", "missing/data.json"],
        "--json: cannot write",
        "a folder that exists",
    ),
    "json is a folder": (["demo", "--json", "."], "--json: cannot write", "Name a file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(sprout_like: Callable[..., Any], place: Path, case: str) -> None:
    arguments, problem, fix = WRONG[case]
    (place / "file").write_text("not a folder, and not a database either")

    outcome = sprout_like(*arguments)

    _assert_one_error(outcome, problem, fix)
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize(
    ("name", "value", "problem", "fix"),
    [
        ("SPROUT_LEDGRE", "x", "SPROUT_LEDGRE", "Did you mean 'ledger'"),
        ("SPROUT_CONTROL_SHARE", "2", "control_share", "less than 1"),
        ("SPROUT_TAGS", "{", "tags", "Write it as JSON"),
        ("SPROUT_LEDGER", "oracle://me:hunter2@db/x", "oracle is not supported", "sqlite:///FILE"),
    ],
)
@pytest.mark.parametrize("command", [["report"], ["ledger", "check"], ["ledger", "flush"]], ids=" ".join)
def test_wrong_variable(
    sprout_like: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    name: str,
    value: str,
    problem: str,
    fix: str,
) -> None:
    monkeypatch.setenv(name, value)

    outcome = sprout_like(*command)

    _assert_one_error(outcome, problem, fix)
    assert "hunter2" not in outcome.err


def test_the_demonstration_reads_the_settings_before_anything_else(
    sprout_like: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setenv("SPROUT_PUE", "0.5")

    _assert_one_error(sprout_like("demo"), "pue", "greater than or equal to 1")
    assert not (place / "demo-output").exists()


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ('zone = " "', "zone: is empty, in ", "It is: Zone"),
        ('zonne = "GB"', "zonne", "Did you mean 'zone'"),
        ("zone = ", "sprout.toml", "Correct the file"),
    ],
    ids=["an empty value", "unknown key", "not TOML"],
)
def test_wrong_file(sprout_like: Callable[..., Any], place: Path, text: str, problem: str, fix: str) -> None:
    (place / "sprout.toml").write_text(text)

    outcome = sprout_like("report")

    _assert_one_error(outcome, problem, fix)
    assert "sprout.toml" in outcome.err


@pytest.mark.parametrize("command", [["report"], ["ledger", "check"]], ids=" ".join)
def test_a_ledger_that_breaks_while_it_is_read(
    sprout_like: Callable[..., Any], place: Path, command: list[str]
) -> None:
    """Its head is as it should be, so that the damage shows only when the rows are read."""
    path = place / "ledger.sqlite"
    ledger = open_ledger(path, spool_path=place / "spool.sqlite")
    for number in range(200):
        ledger.append(sample_request(number))
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))

    outcome = sprout_like(*command, "--ledger", path)

    _assert_one_error(outcome, "is not a SQLite database, or damaged", "Move it away")


@pytest.mark.parametrize("module", ["typer", "grid", "sprout_like.cli.commands", "sqlalchemy"])
def test_an_interrupt_while_the_program_still_loads_is_quiet(place: Path, module: str) -> None:
    code = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from sprout_like.cli.main import run\n"
        "run(['report'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments", [["grid", "zones", "DE"], ["grid", "zones", "--json"], ["--help"]], ids=["rich", "json", "help"]
)
def test_an_output_without_room_is_one_line(place: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from sprout_like.cli.main import run; run()", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: output: No space left on device")


def _assert_one_error(outcome: Any, problem: str, fix: str) -> None:
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith("\n")
    assert outcome.err[:-1].isprintable()
    assert problem in outcome.err
    assert fix in outcome.err
