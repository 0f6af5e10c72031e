"""`--out` of commands: what is the user's is never lost, and a file is there whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
from sprout_like.whole_file import whole_file

Command = Callable[..., Any]


@pytest.fixture
def ledger(place: Path) -> Path:
    path = place / "ledger.sqlite"
    opened = open_ledger(path, spool_path=place / "spool.sqlite")
    opened.append(sample_request(0))
    opened.close()
    return path


@pytest.mark.parametrize(
    "command", [("report",), ("report", "--no-manifest"), ("export", "codecarbon")], ids=["report", "bare", "csv"]
)
def test_a_ledger_is_never_replaced_by_what_is_said_of_it(
    sprout_like: Command, ledger: Path, command: tuple[str, ...]
) -> None:
    (ledger.parent / "link.sqlite").symlink_to(ledger)

    for name in ("ledger.sqlite", "link.sqlite"):
        refused = sprout_like(*command, "--ledger", ledger, "--out", name, "--force")
        assert (refused.code, refused.err) == (2, f"error: --out: {name} is the ledger itself. Name another file\n")
    assert ledger.read_bytes().startswith(b"SQLite format 3")


def test_an_export_replaces_nothing_unasked(sprout_like: Command, ledger: Path, place: Path) -> None:
    (place / "mine.csv").write_text("mine")
    command = ("export", "codecarbon", "--ledger", ledger, "--out", "mine.csv")

    refused = sprout_like(*command)
    assert (refused.code, refused.err) == (
        2,
        "error: --out: mine.csv exists. Name another file, or add --force to replace it\n",
    )
    assert (place / "mine.csv").read_text() == "mine"

    assert sprout_like(*command, "--force").out == "mine.csv: 1 line\n"
    assert (place / "mine.csv").read_text().startswith("timestamp,")


def test_a_file_half_written_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_text("before")

    def interrupted() -> None:
        with whole_file(file, force=True) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("before", [("--ledger", "other.sqlite"), ("--by", "day"), ("--no-manifest",)])
def test_options_before_verify_are_not_swallowed(
    sprout_like: Command, ledger: Path, place: Path, before: tuple[str, ...]
) -> None:
    assert sprout_like("report", "--ledger", ledger, "--out", "r.md").code == 0

    refused = sprout_like("report", *before, "verify", "r.md")
    assert refused.code == 2
    assert "it stands before `verify`" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize(
    "command", [("report",), ("ledger", "check"), ("ledger", "flush"), ("ledger", "roll-up")], ids=" ".join
)
def test_a_database_of_something_else_is_left_as_it_is(
    sprout_like: Command, place: Path, command: tuple[str, ...]
) -> None:
    with sqlite3.connect(place / "bookmarks.sqlite") as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()

    refused = sprout_like(*command, "--ledger", "bookmarks.sqlite")

    assert refused.code == 2
    assert "holds tables, but no ledger" in refused.err
    with sqlite3.connect(place / "bookmarks.sqlite") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()
