"""The ledger on a real PostgreSQL server: stopped, restarted, left, and wrongly addressed."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from sprout_like.errors import LedgerUnreachable, SettingError
from sprout_like.ledger import SqlLedger, open_engine, open_ledger
from sprout_like.ledger.rollups.facts import facts
from sprout_like.ledger.schema import RequestRow
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.meters.testing import ManualClock

pytestmark = pytest.mark.postgres

Stored = Callable[[object], list[int]]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


@pytest.fixture
def ledger(postgres_url: str, spool: Path) -> Iterator[SqlLedger]:
    ledger = open_ledger(postgres_url, spool_path=spool, clock=ManualClock())
    assert isinstance(ledger, SqlLedger)
    yield ledger
    ledger.close()


def append(ledger: SqlLedger, numbers: range) -> None:
    for number in numbers:
        ledger.append(sample_request(number))


def test_rows_outlive_a_stopped_server(
    ledger: SqlLedger, postgres_server: Any, postgres_url: str, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    append(ledger, range(700))
    ledger.tick()
    postgres_server.stop()
    try:
        append(ledger, range(700, 1300))
        ledger.tick()
        assert ledger.flush() == 600
        assert ledger.status().outages == 1
    finally:
        postgres_server.start()
    append(ledger, range(1300, 1310))
    assert ledger.flush() == 0

    assert stored(postgres_url) == list(range(1310))
    assert ledger.status().problem is None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_a_restart_between_two_batches_is_no_outage(
    ledger: SqlLedger, postgres_server: Any, postgres_url: str, stored: Stored
) -> None:
    append(ledger, range(3))
    ledger.tick()
    postgres_server.stop()
    postgres_server.start()
    append(ledger, range(3, 6))
    ledger.tick()

    assert stored(postgres_url) == list(range(6))
    assert ledger.status().outages == 0


def test_starts_while_the_server_is_away(
    postgres_server: Any, postgres_url: str, spool: Path, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    postgres_server.stop()
    try:
        ledger = open_ledger(postgres_url, spool_path=spool)
        append(ledger, range(3))
        assert ledger.flush() == 3
        with pytest.raises(LedgerUnreachable, match="refused"):
            open_engine(postgres_url)
    finally:
        postgres_server.start()
    assert ledger.flush() == 0
    ledger.close()

    assert stored(postgres_url) == [0, 1, 2]
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert postgres_server.password not in caplog.text


APPENDS_FOR_EVER = """
import sys
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
ledger = open_ledger(sys.argv[1], spool_path=sys.argv[2])
for number in range(10**6):
    ledger.append(sample_request(number))
    if number % 20 == 0:
        ledger.tick()
    print(number, flush=True)
"""


def test_every_row_survives_kill_9_and_is_sent_by_the_next_process(
    postgres_url: str, spool: Path, stored: Stored
) -> None:
    command = [sys.executable, "-c", APPENDS_FOR_EVER, postgres_url, str(spool)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = [int(process.stdout.readline()) for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        printed += [int(line) for line in process.stdout.read().split("\n") if line]

    ledger = open_ledger(postgres_url, spool_path=spool)
    assert ledger.flush() == 0
    ledger.close()
    assert stored(postgres_url)[: len(printed)] == printed


FLUSHES = """
import sys
from sprout_like.ledger import open_ledger
sys.exit(open_ledger(sys.argv[1], spool_path=sys.argv[2]).flush())
"""


def test_two_processes_may_send_the_same_spool(postgres_url: str, spool: Path, stored: Stored) -> None:
    ledger = open_ledger(postgres_url, spool_path=spool)
    append(ledger, range(3000))
    command = [sys.executable, "-c", FLUSHES, postgres_url, str(spool)]
    processes = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait(60) for process in processes] == [0, 0]
    ledger.close()
    assert stored(postgres_url) == list(range(3000))


def test_rows_that_the_database_cannot_hold_are_set_aside(ledger: SqlLedger, postgres_url: str, stored: Stored) -> None:
    ledger.append(sample_request(1, duration_s=None))
    ledger.append(sample_request(2, new_tokens=2**40))
    ledger.append(sample_request(3, model="NUL \0"))
    ledger.append(sample_request(4, model="\udc80"))
    ledger.append(sample_request(5, energy_by_device_j={"GPU-0": float("nan")}))
    append(ledger, range(6, 7))

    assert ledger.flush() == 0
    assert stored(postgres_url) == [6]
    assert ledger.status().refused == 5


def test_an_account_arrives_with_its_requests(ledger: SqlLedger, postgres_url: str) -> None:
    append(ledger, range(2))
    ledger.append(sample_account())
    ledger.flush()

    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM requests JOIN energy_accounts USING (account_id)")) == 2
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "problem", "fix"),
    [
        ({"password": "wrong"}, "refuses this user or password", "USER:PASSWORD"),
        ({"user": "nobody"}, "refuses this user or password", "USER:PASSWORD"),
        ({"database": "nowhere"}, "there is no such database", "createdb"),
        ({"database": "postgres?nonsense=1"}, "the URL has an unknown option", "Remove"),
    ],
)
def test_refuses_to_start_with_a_wrong_url(
    postgres_server: Any, spool: Path, change: dict[str, str], problem: str, fix: str
) -> None:
    url = postgres_server.url(**{"database": "postgres"} | change)
    for use in (lambda: open_ledger(url, spool_path=spool), lambda: open_engine(url)):
        with pytest.raises(SettingError, match=f"{problem}.*{fix}") as caught:
            use()
        assert caught.value.setting == "ledger"
        assert postgres_server.password not in str(caught.value)


def test_refuses_to_start_with_a_host_that_does_not_exist(spool: Path) -> None:
    try:
        socket.getaddrinfo("host.invalid", 5432)
    except socket.gaierror as exc:
        if exc.errno == socket.EAI_AGAIN:
            pytest.skip("no name server here says whether a host exists")
    with pytest.raises(SettingError, match="there is no such host"):
        open_ledger("postgresql://me:secret@host.invalid/carbon", spool_path=spool)


def test_refuses_to_start_without_the_right_to_write(postgres_server: Any, postgres_url: str, spool: Path) -> None:
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE reader LOGIN PASSWORD 'reader'"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    engine.dispose()
    url = postgres_server.url(postgres_url.rpartition("/")[2], user="reader", password="reader")

    with pytest.raises(SettingError, match=r"may not create or write the tables.*Grant"):
        open_ledger(url, spool_path=spool)
    open_engine(url).dispose()  # reports need no more than that


def test_refuses_to_start_without_the_driver(spool: Path) -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from sprout_like.ledger import open_ledger\n"
        "open_ledger('postgresql://me:secret@127.0.0.1/carbon', spool_path=sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(spool)], capture_output=True, text=True, timeout=60)

    last_line = done.stderr.strip().rpartition("\n")[2]
    assert "SettingError: ledger: PostgreSQL needs psycopg" in last_line
    assert 'pip install "sprout-like[postgres]"' in last_line
    assert "secret" not in done.stderr


def test_a_server_that_does_not_answer_costs_the_timeout_once_and_no_row(spool: Path) -> None:
    """It accepts connections and says nothing, as a host behind a broken firewall would."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://me:secret@127.0.0.1:{port}/carbon?connect_timeout=2"
        ledger = open_ledger(url, spool_path=spool, clock=ManualClock())
        append(ledger, range(2))
        ledger.tick()  # too early for another attempt

        status = ledger.status()
        assert status.pending == 2
        assert status.outages == 1
        assert "timeout" in str(status.problem)


def test_reports_are_not_compiled(postgres_url: str) -> None:
    """PostgreSQL's JIT doubles the time of their wide queries."""
    engine = open_engine(postgres_url)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar() == "off"
    with engine.connect().execution_options(yield_per=10) as connection:
        assert connection.execute(text("SELECT 1")).all() == [(1,)]
    engine.dispose()


def test_a_stamp_at_the_end_of_time_comes_back(postgres_url: str, tmp_path: Path) -> None:
    """Of a clock gone wild, from a server east of UTC."""
    late = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    ledger = open_ledger(postgres_url, spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request(1, started_utc=late))
    ledger.close()
    engine = open_engine(postgres_url)

    found = facts(engine)
    with engine.connect() as connection:
        assert connection.scalar(select(found.c.requests_n)) == 1
        assert connection.scalar(select(RequestRow.started_utc)) == late
    engine.dispose()
