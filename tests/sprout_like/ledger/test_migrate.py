"""Databases that are new, shared, newer than the release, or opened by several processes at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, func, insert, select, text

from sprout_like.errors import LedgerVersionError, SettingError
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import HEAD, MIGRATIONS, VERSION_TABLE, ensure_schema
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import ContextRow, RequestRow
from sprout_like.ledger.settlements import Settlements
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
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


@pytest.mark.parametrize("taken", ["ix_requests_started_utc", "ix_request_rows_started_utc"])
def test_a_migration_that_fails_leaves_nothing_behind(spec: str, tmp_path: Path, stored: Stored, taken: str) -> None:
    """The index' name is taken, so that the migration fails half way."""
    execute(spec, "CREATE TABLE other (n integer)", f"CREATE INDEX {taken} ON other (n)")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request(1))
    assert "already exists" in str(ledger.status().problem)

    execute(spec, f"DROP INDEX {taken}")
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


def upgraded_to(spec: str, revision: str) -> Engine:
    """A database with the schema of an older release."""
    engine = build_engine(parse_address(spec))
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, revision)
    return engine


def insert_as_then(engine: Engine, *records: RequestRecord) -> list[RequestRecord]:
    """Write the rows as the older release did; returns what is known of them now, which knew fewer columns."""
    table = Table("requests", MetaData(), autoload_with=engine)
    known = set(table.columns.keys())
    rows = [{name: value for name, value in record.as_dict().items() if name in known} for record in records]
    with engine.begin() as connection:
        connection.execute(insert(table), rows)
    engine.dispose()
    return [RequestRecord(**row) for row in rows]


def requests_in(engine: Engine) -> list[RequestRecord]:
    with engine.connect() as connection:
        rows = connection.execute(select(RequestRow.__table__).order_by(RequestRow.request_id)).mappings()
        return [RequestRecord(**row) for row in rows]


@pytest.mark.parametrize("revision", ["0001", "0004", "0007"])
def test_rows_of_an_older_schema_are_kept_and_can_be_settled(spec: str, revision: str) -> None:
    rows = insert_as_then(
        upgraded_to(spec, revision),
        sample_request(1, intensity_status="forecast"),
        sample_request(2, tags={}, energy_by_device_j={"GPU-0": 7.5, "GPU-1": 7.5, "rest$g": 5.0}),
        sample_request(3, energy_by_device_j={'a "$c"': 15.0, "rapl:dram-0": 1.0}, knob_counts={"early_tokens": 3.0}),
        sample_request(
            4,
            intensity_stale=None,
            settled_g_per_kwh=150.5,
            settled_kind="average",
            settled_factors="direct",
            settled_status="actual",
            settled_source="uk",
            settled_operational_g=0.001,
            settled_utc=sample_request(9).started_utc,
        ),
    )

    engine = open_engine(spec)

    assert requests_in(engine) == rows
    assert [row.request_id for row in next(Settlements(engine).provisional(Scope()))] == [rows[0].request_id]
    engine.dispose()


def test_what_repeats_in_an_older_ledger_is_stored_once(spec: str) -> None:
    """More rows than a page, with more tags than are worth a context each."""
    rows = insert_as_then(
        upgraded_to(spec, "0007"),
        *(sample_request(number, tags={"user": str(number % 600)}) for number in range(5100)),
    )

    engine = open_engine(spec)

    assert requests_in(engine) == rows
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(ContextRow)) == 513
    engine.dispose()


@pytest.mark.postgres
def test_who_may_read_or_write_requests_may_do_so_still(postgres_url: str) -> None:
    insert_as_then(upgraded_to(postgres_url, "0007"), sample_request(1))
    execute(postgres_url, "DROP ROLE IF EXISTS team_reader", "DROP ROLE IF EXISTS team_writer")
    execute(postgres_url, "CREATE ROLE team_reader", "CREATE ROLE team_writer")
    execute(postgres_url, "GRANT SELECT ON requests TO team_reader")
    execute(postgres_url, "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO team_writer")
    engine = open_engine(postgres_url)

    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE team_reader"))
        assert connection.scalar(select(RequestRow.directive)) == "brief"
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE team_writer"))
        insert_requests(connection, [sample_request(2)])
    engine.dispose()
    execute(postgres_url, "DROP OWNED BY team_reader, team_writer", "DROP ROLE team_reader, team_writer")


@pytest.mark.postgres
def test_a_row_that_is_written_while_the_tables_move_is_moved_too(postgres_url: str) -> None:
    """Its id lies behind the page that is moved when it is committed, as that of a row out of a spool."""
    older = upgraded_to(postgres_url, "0008")
    insert_as_then(older, sample_request(2))
    waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'requests'::regclass")
    table = Table("requests", MetaData(), autoload_with=older)
    row = {name: value for name, value in sample_request(1).as_dict().items() if name in table.columns}

    with ThreadPoolExecutor(1) as pool, older.connect() as writer:
        writer.execute(insert(table), row)
        upgrading = pool.submit(open_engine, postgres_url)
        while not upgrading.done() and writer.execute(waiting).first() is None:
            sleep(0.05)
        writer.commit()
        engine = upgrading.result(60)

    assert [request.request_id for request in requests_in(engine)] == [sample_request(n).request_id for n in (1, 2)]
    engine.dispose()
    older.dispose()


def test_an_upgrade_says_that_it_may_take_long(spec: str, caplog: pytest.LogCaptureFixture) -> None:
    upgraded_to(spec, "0007").dispose()

    open_engine(spec).dispose()
    open_engine(spec).dispose()

    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"from schema 0007 to {HEAD}, which takes minutes" in message


@pytest.mark.parametrize("pages", [0, 1])
def test_a_process_that_dies_while_it_upgrades_changes_nothing(spec: str, pages: int) -> None:
    """By the signal that nobody hears, before the first page of rows is moved or after it."""
    rows = insert_as_then(upgraded_to(spec, "0007"), *(sample_request(number) for number in range(10)))

    died = subprocess.run([sys.executable, "-c", DIES_AFTER_PAGES, spec, str(pages)], timeout=60, capture_output=True)

    assert died.returncode == -signal.SIGKILL
    engine = open_engine(spec)
    assert requests_in(engine) == rows
    engine.dispose()


DIES_AFTER_PAGES = """
import os, signal, sys
from sqlalchemy import event
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema

engine = build_engine(parse_address(sys.argv[1]))
asked = 0

@event.listens_for(engine, "before_cursor_execute")
def count(connection, cursor, statement, *others):
    global asked
    if "ORDER BY request_id LIMIT" in statement:
        if asked == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        asked += 1

ensure_schema(engine)
"""


WRITES_WHILE_ALEMBIC_IS_IMPORTED = """
import sqlite3, sys
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema

class Writer:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "alembic":
            connection = sqlite3.connect(sys.argv[1], timeout=0)
            connection.execute("BEGIN IMMEDIATE")
            connection.close()

sys.meta_path.insert(0, Writer())
ensure_schema(build_engine(parse_address(sys.argv[1])))
"""


def test_who_upgrades_holds_nobody_up_while_it_loads_alembic(tmp_path: Path) -> None:
    """That takes seconds on a busy machine, and a write of another process waits for one."""
    command = [sys.executable, "-c", WRITES_WHILE_ALEMBIC_IS_IMPORTED, str(tmp_path / "ledger.sqlite")]

    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stderr == ""


def test_many_processes_may_start_at_once(spec: str, tmp_path: Path, stored: Stored) -> None:
    command = [sys.executable, "-c", STARTS, spec, str(tmp_path / "spool.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, str(number)], **pipes) for number in range(4)]
    results = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]

    assert results == [("", 0)] * 4
    assert sorted(stored(spec)) == list(range(4))
