"""The ledger's database and its spool, looked at and left as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sprout_like.doctor.finding import Finding
from sprout_like.errors import RowRefused
from sprout_like.ledger import open_ledger
from sprout_like.ledger.migrate import HEAD, VERSION_TABLE
from sprout_like.ledger.open import ledger_address, ledger_spool
from sprout_like.ledger.testing import sample_request

Examined = Callable[..., dict[str, list[Finding]]]


@pytest.fixture(autouse=True)
def _quiet_rest(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPROUT_GRID", "static:150")
    monkeypatch.setenv("SPROUT_METER", "none")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def spec(request: pytest.FixtureRequest, place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger of two requests, named by the settings."""
    spec = str(place / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    monkeypatch.setenv("SPROUT_LEDGER", spec)
    ledger = open_ledger(spec)
    for number in range(2):
        ledger.append(sample_request(number))
    ledger.close()
    return spec


def test_a_ledger_in_use(examined: Examined, spec: str) -> None:
    found = examined()

    (ledger,) = found["ledger"]
    assert (ledger.state, ledger.fix) == ("ok", None)
    assert ledger.found.endswith(": 2 requests, the last at 2026-03-01 12:00 UTC")
    assert [model.found for model in found["model"]] == [
        "HuggingFaceTB/SmolLM2-135M-Instruct (llama, engine transformers) has rows in the ledger"
    ]
    assert found["spool"] == [Finding("spool", "ok", "nothing waits on this machine")]


def test_a_ledger_in_use_is_left_as_it_is(examined: Examined, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "ledger.sqlite"
    monkeypatch.setenv("SPROUT_LEDGER", str(path))
    ledger = open_ledger(path)
    ledger.append(sample_request())
    ledger.close()
    before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}

    examined()

    assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == before


def test_rows_that_wait_are_counted(examined: Examined, spec: str) -> None:
    spool = ledger_spool(ledger_address(spec))
    spool.put([sample_request(number) for number in range(5)])
    spool.close()

    (waiting,) = examined()["spool"]

    assert (waiting.state, waiting.found) == ("warn", "5 rows wait for the database")
    assert waiting.fix == "sprout-like ledger flush"


def test_rows_that_were_refused_are_counted_too(examined: Examined, spec: str) -> None:
    spool = ledger_spool(ledger_address(spec))
    spool.refuse(sample_request(7), str(RowRefused("value too long")))
    spool.close()

    (refused,) = examined()["spool"]

    assert (refused.state, refused.found) == ("warn", "1 rows that the database will never take are set aside")
    assert f"table `refused` of {spool.path}" in str(refused.fix)


def test_rows_for_another_database_are_its_own_business(examined: Examined, spec: str) -> None:
    spool = ledger_spool(ledger_address("/somewhere/else.sqlite"))
    spool.put([sample_request(1)])
    spool.close()

    assert [finding.state for finding in examined()["spool"]] == ["ok"]


@pytest.mark.postgres
def test_an_empty_database_is_left_empty(
    examined: Examined, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", postgres_url)

    (ledger,) = examined()["ledger"]

    assert ledger.state == "ok"
    assert ledger.found.endswith("empty; the first request makes the tables")
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("SELECT * FROM information_schema.tables WHERE table_schema = 'public'").fetchall()
    assert tables == []


@pytest.mark.postgres
def test_a_database_of_somebody_else_fails(
    examined: Examined, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE requests (url text)")

    (ledger,) = examined()["ledger"]

    assert ledger.state == "fail"
    assert "tables that are not ours (requests)" in ledger.found


@pytest.mark.postgres
def test_another_schema_is_told_and_left_alone(
    examined: Examined, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", postgres_url)
    open_ledger(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0000'")

    (ledger,) = examined()["ledger"]

    assert ledger.state == "warn"
    assert f"its schema is 0000, this release's is {HEAD}" in ledger.found
    assert "pip install --upgrade sprout-like" in str(ledger.fix)


@pytest.mark.postgres
def test_a_refused_login_fails_without_printing_the_password(
    examined: Examined, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", postgres_server.url("postgres", password="hunter2"))

    found = examined()

    (ledger,) = found["ledger"]
    assert ledger.state == "fail"
    assert "refuses this user or password" in ledger.found
    assert "Correct USER:PASSWORD" in str(ledger.fix)
    assert "hunter2" not in str(found)


def test_a_server_that_does_not_answer_fails(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPROUT_LEDGER", "postgresql://me:hunter2@127.0.0.1:1/carbon")

    found = examined()

    (ledger,) = found["ledger"]
    assert ledger.state == "fail"
    assert "postgresql://127.0.0.1:1/carbon" in ledger.found
    assert "Start the database" in str(ledger.fix)
    assert "hunter2" not in str(found)


def test_a_file_that_is_no_database_fails(examined: Examined, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "notes.txt").write_text("not a database, but long enough to be looked at" * 50)
    monkeypatch.setenv("SPROUT_LEDGER", str(place / "notes.txt"))

    (ledger,) = examined()["ledger"]

    assert (ledger.state, ledger.fix) == ("fail", "Move it away or name another file")
    assert "is not a SQLite database, or damaged" in ledger.found


def test_a_spool_that_cannot_be_read_fails(examined: Examined, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "spool.sqlite").write_text("not a database, but long enough to be looked at" * 50)
    monkeypatch.setenv("SPROUT_SPOOL", str(place / "spool.sqlite"))

    (spool,) = examined()["spool"]

    assert spool.state == "fail"
    assert "cannot be read" in spool.found
    assert "SPROUT_SPOOL" in str(spool.fix)


def test_a_file_that_an_upgrade_left_half_empty(
    examined: Examined, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place / "ledger.sqlite"
    monkeypatch.setenv("SPROUT_LEDGER", str(path))
    open_ledger(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE old AS SELECT zeroblob(60000000); DROP TABLE old; PRAGMA wal_checkpoint(TRUNCATE)"
        )

    _, room = examined()["ledger"]

    assert room.state == "warn"
    assert room.found.endswith("60 of its 60 MB are empty, for rows to come")
    assert f"sqlite3 {path} VACUUM" in str(room.fix)
