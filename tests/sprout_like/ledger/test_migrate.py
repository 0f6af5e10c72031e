"""Databases that are new, shared, newer than the release, or opened by several processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.schema import DropTable

from sprout_like.errors import LedgerVersionError, SettingError
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import HEAD, VERSION_TABLE, ensure_schema
from sprout_like.ledger.schema import Base, RequestRow
from sprout_like.ledger.settlements import Settlements
from sprout_like.ledger.testing import sample_request
from sprout_like.settlement.figures import Scope

Stored = Callable[[object], list[int]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def execute(spec: str, *statements: str) -> None:
    engine = build_engine(parse_address(spec))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_newer_schema_is_left_alone_and_says_what_to_do(spec: str, tmp_path: Path) -> None:
    open_ledger(spec, spool_path=tmp_path / "spool.sqlite").close()
    execute(spec, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")

    for use in (lambda: open_ledger(spec, spool_path=tmp_path / "spool.sqlite"), lambda: open_engine(spec)):
        with pytest.raises(LedgerVersionError, match=f"schema 9999.*newest is {HEAD}.*pip install --upgrade"):
            use()


def test_tables_of_somebody_else_are_left_alone(spec: str, tmp_path: Path) -> None:
    execute(spec, "CREATE TABLE requests (url varchar)")

    with pytest.raises(SettingError, match=r"tables that are not ours \(requests\)"):
        open_ledger(spec, spool_path=tmp_path / "spool.sqlite")


def test_alembic_of_somebody_else_does_no_harm(spec: str, tmp_path: Path, stored: Stored) -> None:
    execute(spec, "CREATE TABLE alembic_version (version_num varchar)", "INSERT INTO alembic_version VALUES ('4f2a')")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request(1))
    ledger.close()

    assert stored(spec) == [1]


def test_a_migration_that_fails_leaves_nothing_behind(spec: str, tmp_path: Path, stored: Stored) -> None:
    """The index' name is taken, so that the migration fails half way."""
    execute(spec, "CREATE TABLE other (n integer)", "CREATE INDEX ix_requests_started_utc ON other (n)")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request(1))
    assert "already exists" in str(ledger.status().problem)

    execute(spec, "DROP INDEX ix_requests_started_utc")
    assert ledger.flush() == 0
    ledger.close()
    assert stored(spec) == [1]


def test_an_up_to_date_database_costs_no_import_of_alembic(spec: str) -> None:
    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    engine.dispose()
    code = "import sys; from sprout_like.ledger import open_engine; open_engine(sys.argv[1]); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code, spec], check=True, timeout=60, capture_output=True, text=True)

    assert "sqlalchemy" in modules.stdout.split()
    assert "alembic" not in modules.stdout.split()


STARTS = """
import sys
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
ledger = open_ledger(sys.argv[1], spool_path=sys.argv[2])
sys.stdin.read(1)
ledger.append(sample_request(int(sys.argv[3])))
ledger.close()
status = ledger.status()
assert status.outages == 0, status
"""


def test_rows_of_an_older_schema_are_kept_and_can_be_settled(spec: str) -> None:
    """What 0005 and later ones added is taken away again, with a row written before them."""
    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    row = sample_request(7, intensity_status="forecast", caller_limit_tokens=None)
    settled = [column.name for column in RequestRow.__table__.columns if column.name.startswith("settled_")]
    with engine.begin() as connection:
        connection.execute(insert(RequestRow), row.as_dict())
        if engine.dialect.name == "sqlite":  # which else would not drop what they speak of
            for event in ("insert", "update", "delete"):
                connection.execute(text(f"DROP TRIGGER requests_stale_{event}"))
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in ("requests", "energy_accounts", "answers", "profiles", "profile_cells"):
                connection.execute(DropTable(table))
        for name in [*settled, "inferred_task", "caller_limit_tokens"]:
            connection.execute(text(f"ALTER TABLE requests DROP COLUMN {name}"))
        for name in ("host", "host_counter_id", "host_from_j", "host_to_j"):
            connection.execute(text(f"ALTER TABLE energy_accounts DROP COLUMN {name}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0004'"))
    engine.dispose()

    engine = open_engine(spec)

    with engine.connect() as connection:
        stored = connection.execute(select(RequestRow.__table__)).one()
    assert type(row)(**stored._mapping) == row
    assert len(next(Settlements(engine).provisional(Scope()))) == 1
    engine.dispose()


def test_many_processes_may_start_at_once(spec: str, tmp_path: Path, stored: Stored) -> None:
    command = [sys.executable, "-c", STARTS, spec, str(tmp_path / "spool.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, str(number)], **pipes) for number in range(4)]
    results = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]

    assert results == [("", 0)] * 4
    assert sorted(stored(spec)) == list(range(4))
