"""`sprout-like report`: formats, periods, files and their check."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_account, sample_request

Command = Callable[..., Any]

FIRST = datetime(2026, 3, 31, 23, tzinfo=UTC)


@pytest.fixture
def ledger(place: Path) -> Path:
    """Two requests of March and one of April."""
    path = place / "ledger.sqlite"
    opened = open_ledger(path, spool_path=place / "spool.sqlite")
    for hour in range(3):
        team = {"team": "=search" if hour else "ads"}
        opened.append(sample_request(hour, started_utc=FIRST + timedelta(minutes=40 * hour), tags=team))
    opened.append(sample_account(started_utc=FIRST))
    assert opened.flush() == 0
    opened.close()
    return path


def test_several_dimensions_and_a_period(sprout_like: Command, ledger: Path) -> None:
    out = sprout_like(
        "report", "--period", "2026-03", "--by", "month,tag:team", "--format", "csv", "--ledger", ledger
    ).out

    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["month"], row["tag:team"], row["requests"]) for row in rows] == [
        ("2026-03", "'=search", "1"),
        ("2026-03", "ads", "1"),
    ]


def test_table_is_another_name_for_text(sprout_like: Command, ledger: Path) -> None:
    table = sprout_like("report", "--format", "table", "--ledger", ledger)

    assert (
        table
        == sprout_like("report", "--ledger", ledger)
        == sprout_like("report", "--format", "text", "--ledger", ledger)
    )
    assert "Software Carbon Intensity" in table.out


@pytest.mark.parametrize("output", ["text", "json", "csv", "md", "html"])
def test_every_format_is_printed(sprout_like: Command, ledger: Path, output: str) -> None:
    outcome = sprout_like("report", "--format", output, "--ledger", ledger)

    assert (outcome.code, outcome.err) == (0, "")
    assert "brief" in outcome.out


@pytest.mark.parametrize("name", ["r.txt", "r.json", "r.csv", "r.md", "r.html"])
def test_a_file_is_written_as_it_is_called_checked_and_not_replaced(
    sprout_like: Command, ledger: Path, place: Path, name: str
) -> None:
    options = ("report", "--period", "2026-03", "--ledger", ledger, "--out", name)
    written = sprout_like(*options)
    first = (place / name).read_bytes()

    assert (written.code, written.err) == (0, "")
    assert written.out == f"Written to {name}, its manifest to {name}.manifest.json\n"
    verified = sprout_like("report", "verify", name, "--ledger", ledger)
    assert (verified.code, verified.err) == (0, "")
    assert sprout_like("report", "verify", f"{name}.manifest.json", "--ledger", ledger) == verified
    assert f"{name}: as it was made: the same bytes again from the same 3 rows of 1 day" in verified.out
    again = sprout_like(*options)
    assert again.code == 2
    assert f"--out: {name} exists. Name another file, or add --force to replace it" in again.err
    assert sprout_like(*options, "--force").code == 0
    assert (place / name).read_bytes() == first


def test_a_name_that_tells_no_format_needs_one(sprout_like: Command, ledger: Path, place: Path) -> None:
    refused = sprout_like("report", "--ledger", ledger, "--out", "r.unknown")

    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "--out: r.unknown tells no format" in refused.err
    assert not (place / "r.unknown").exists()
    assert sprout_like("report", "--ledger", ledger, "--out", "r.unknown", "--format", "csv").code == 0
    assert (place / "r.unknown").read_text().startswith("directive,")


def test_what_differs_is_said_and_is_exit_code_1(
    sprout_like: Command, ledger: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sprout_like("report", "--period", "2026-03", "--ledger", ledger, "--out", "r.json")
    opened = open_ledger(ledger, spool_path=place / "spool.sqlite")
    opened.append(sample_request(9, started_utc=FIRST))
    opened.close()
    monkeypatch.setenv("SPROUT_FLOOR", "0.9")

    outcome = sprout_like("report", "verify", "r.json", "--ledger", ledger)

    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "DIFFERS: setting floor: 0.95 then, 0.9 now.",
        "DIFFERS: requests, 2026-03-31: gained 1 rows (2 then, 3 now).",
    ]


def test_no_manifest_where_none_is_wanted(sprout_like: Command, ledger: Path, place: Path) -> None:
    written = sprout_like("report", "--ledger", ledger, "--out", "r.md", "--no-manifest")

    assert (written.code, written.out) == (0, "Written to r.md\n")
    assert not (place / "r.md.manifest.json").exists()
    outcome = sprout_like("report", "verify", "r.md", "--ledger", ledger)
    assert outcome.code == 2
    assert "r.md.manifest.json: cannot be read" in outcome.err


def test_a_period_without_data_is_an_honest_empty_report(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("report", "--period", "2020-01", "--ledger", ledger)
    data = json.loads(sprout_like("report", "--period", "2020-01", "--format", "json", "--ledger", ledger).out)

    assert (outcome.code, outcome.out) == (0, "The ledger holds no request in this span.\n")
    assert (data["headlines"], data["span"]["period"]) == ([], "2020-01")


def test_the_idle_time_is_shared_out_on_request(sprout_like: Command, ledger: Path) -> None:
    plain = sprout_like("report", "--ledger", ledger).out
    shared = sprout_like("report", "--share-idle", "--ledger", ledger).out

    assert "idle J" not in plain
    assert "idle J" in shared
    assert "in no request's figures" in " ".join(plain.split())


def test_a_factor_without_a_source_is_one_line(
    sprout_like: Command, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_MARKET_G_PER_KWH", "20")

    outcome = sprout_like("report", "--ledger", ledger)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: market_source: market_g_per_kwh is set, and who states it?")
