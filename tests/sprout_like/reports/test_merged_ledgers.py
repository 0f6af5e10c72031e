"""Ledgers that somebody put together with SQL, some of whose requests have the same ids and say otherwise."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sprout_like.carbon import operational_g
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.audit import CheckReport
from sprout_like.ledger.check import check
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.reports.build import Asked, build
from sprout_like.reports.formats.written import FORMATS, written
from sprout_like.reports.report import Report
from sprout_like.settings import Settings

FIRST = datetime(2026, 3, 31, 23, tzinfo=UTC)
LATER = FIRST + timedelta(days=9)
# What rows refer to comes before them.
TABLES = ("request_contexts", "request_periods", "request_settlements", "request_rows", "energy_accounts")


def _written(path: Path, numbers: range, team: str, energy_j: float) -> Path:
    ledger = open_ledger(path, spool_path=path.with_suffix(".spool"))
    for number in numbers:
        ledger.append(
            sample_request(
                number,
                started_utc=FIRST + timedelta(minutes=20 * number),
                tags={"team": team},
                energy_j=energy_j,
                gpu_j=energy_j,
                cpu_j=0.0,
                dram_j=0.0,
                energy_by_device_j={"GPU-0": energy_j},
                operational_g=operational_g(energy_j, 180.0, 1.2),
                account_id=team,
            )
        )
    used_j, ended_utc = energy_j * len(numbers), FIRST + timedelta(hours=4)
    ledger.append(
        sample_account(
            account_id=team,
            started_utc=FIRST,
            ended_utc=ended_utc,
            counter_j=used_j,
            requests_j=used_j,
            requests_n=len(numbers),
            elsewhere_j=0.0,
            overhead_j=0.0,
            idle_j=0.0,
        )
    )
    assert ledger.flush() == 0
    ledger.close()
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return _written(tmp_path / "one.sqlite", range(6), "one", 20.0)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Its first three requests have the ids of `one`'s last three."""
    return _written(tmp_path / "other.sqlite", range(3, 9), "other", 99.0)


@contextmanager
def _together(one: Path, other: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(one)) as connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        yield connection


def _merge(one: Path, other: Path) -> None:
    with _together(one, other) as connection, connection:
        for table in TABLES:
            connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}")


def _checked(path: Path) -> CheckReport:
    engine = open_engine(path)
    try:
        return check(engine)
    finally:
        engine.dispose()


def _report(path: Path) -> Report:
    engine = open_engine(path)
    try:
        roll_up(engine, now_utc=LATER)
        return build(engine, Settings.load(), Asked(by=("tag:team",)))
    finally:
        engine.dispose()


def _sums(report: Report) -> dict[str, tuple[int, float]]:
    rows = csv.DictReader(io.StringIO(written(report, "csv").decode()))
    return {row["tag:team"]: (int(row["requests"]), float(row["energy_j"])) for row in rows}


def test_a_second_request_of_an_id_is_refused_by_the_database(one: Path, other: Path) -> None:
    with _together(one, other) as connection, pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*request_id"):
        connection.execute("INSERT INTO main.request_rows SELECT * FROM other.request_rows")

    assert _sums(_report(one)) == {"one": (6, 120.0)}


def test_where_it_is_skipped_the_first_stays_and_sums_made_before_follow(one: Path, other: Path) -> None:
    assert _sums(_report(one)) == {"one": (6, 120.0)}

    _merge(one, other)

    assert _sums(_report(one)) == {"one": (6, 120.0), "other": (3, 297.0)}
    _merge(one, other)
    assert _sums(_report(one)) == {"one": (6, 120.0), "other": (3, 297.0)}


@pytest.mark.parametrize("output", FORMATS)
def test_every_format_tells_of_both(one: Path, other: Path, output: str) -> None:
    if output == "parquet":
        pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')
    _merge(one, other)

    content = written(_report(one), output)

    assert b"one" in content
    assert b"other" in content


def test_the_check_names_the_account_whose_requests_were_skipped(one: Path, other: Path) -> None:
    assert _checked(one).ok
    assert _checked(other).ok

    _merge(one, other)

    found = _checked(one)
    assert (found.requests, found.accounts) == (9, 2)
    assert {finding.worst for finding in found.findings} == {"other/GPU-0"}
    assert any("rows are missing" in finding.problem for finding in found.findings)
