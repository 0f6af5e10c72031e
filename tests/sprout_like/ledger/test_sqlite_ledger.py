"""The ledger on a SQLite file, with real faults: full, locked, deleted, killed, forked, unusable."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sprout_like.errors import SettingError
from sprout_like.ledger import SqlLedger, open_engine, open_ledger
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.testing import sample_request
from sprout_like.meters.testing import ManualClock

Stored = Callable[[object], list[int]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@contextmanager
def ledger_on(engine: Engine, folder: Path) -> Iterator[tuple[SqlLedger, ManualClock]]:
    clock = ManualClock()
    ledger = SqlLedger(lambda: (SqliteStore(engine), Spool(folder / "spool.sqlite", "test:")), clock=clock)
    yield ledger, clock
    ledger.close()


def append(ledger: SqlLedger, numbers: range) -> None:
    for number in numbers:
        ledger.append(sample_request(number))


def test_a_full_disk_loses_nothing(path: Path, stored: Stored, caplog: pytest.LogCaptureFixture) -> None:
    engine = build_engine(parse_address(path))
    limits = {"pages": 75}
    event.listen(
        engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={limits['pages']}")
    )
    with ledger_on(engine, path.parent) as (ledger, clock):
        append(ledger, range(600))
        assert "database or disk is full" in str(ledger.status().problem)
        clock.advance(60)
        ledger.tick()
        assert 0 < len(stored(path)) < 600

        limits["pages"] = 1_000_000
        clock.advance(60)
        ledger.tick()
        append(ledger, range(600, 610))
        assert stored(path) == list(range(610))
        assert ledger.status().problem is None

    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


DISK_FULL_FOR_ALL = """
import resource, signal, sys
from pathlib import Path
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
ledger = open_ledger(folder / "ledger.sqlite", spool_path=folder / "spool.sqlite")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))  # no file may grow beyond
for number in range(500):
    ledger.append(sample_request(number))
    if number % 50 == 0:
        ledger.flush()
full = ledger.status()
assert full.in_memory > 0, full
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
ledger.append(sample_request(500))
assert ledger.flush() == 0, ledger.status()
assert ledger.status().problem is None, ledger.status()
ledger.close()
"""


def test_with_the_spool_on_the_full_disk_too_rows_wait_in_memory(path: Path, stored: Stored) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL_FOR_ALL, str(path.parent)], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert stored(path) == list(range(501))


def test_a_locked_database_is_an_outage(path: Path, stored: Stored, caplog: pytest.LogCaptureFixture) -> None:
    engine = build_engine(parse_address(path))
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=20"))
    with ledger_on(engine, path.parent) as (ledger, clock):
        append(ledger, range(1))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            append(ledger, range(1, 5))
            assert "locked" in str(ledger.status().problem)
            other.execute("ROLLBACK")
        clock.advance(60)
        ledger.tick()
        append(ledger, range(5, 6))

    assert stored(path) == list(range(6))
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_a_deleted_file_is_noticed_before_rows_go_into_it(path: Path, stored: Stored, replaced: bool) -> None:
    with ledger_on(build_engine(parse_address(path)), path.parent) as (ledger, clock):
        append(ledger, range(2))
        ledger.tick()
        for part in path.parent.glob("ledger.sqlite*"):
            part.unlink()
        if replaced:
            open_ledger(path, spool_path=path.parent / "other.sqlite").close()
        append(ledger, range(2, 5))
        assert "deleted or replaced" in str(ledger.status().problem)
        clock.advance(60)
        ledger.tick()
        append(ledger, range(5, 6))

        assert stored(path) == [2, 3, 4, 5]


def test_a_dropped_table_is_an_outage(path: Path) -> None:
    with ledger_on(build_engine(parse_address(path)), path.parent) as (ledger, _):
        with closing(sqlite3.connect(path)) as other:
            other.execute("ALTER TABLE request_rows RENAME TO elsewhere")
        append(ledger, range(3))

        status = ledger.status()
        assert (status.pending, status.refused) == (3, 0)


def test_rows_that_the_database_cannot_hold_are_set_aside(path: Path, stored: Stored) -> None:
    with ledger_on(build_engine(parse_address(path)), path.parent) as (ledger, _):
        ledger.append(sample_request(1, duration_s=None))
        ledger.append(sample_request(2, new_tokens=2**64))
        ledger.append(sample_request(3, model="\udc80"))
        ledger.append(sample_request(4, tags={"what": object()}))
        append(ledger, range(5, 6))

        status = ledger.status()
    assert stored(path) == [5]
    assert (status.refused, status.problem, status.outages) == (4, None, 0)


APPENDS_FOR_EVER = """
import sys
from pathlib import Path
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
ledger = open_ledger(sys.argv[1], spool_path=sys.argv[2])
for number in range(10**6):
    ledger.append(sample_request(number))
    print(number, flush=True)
"""


def test_every_row_survives_kill_9_once_append_has_returned(path: Path, stored: Stored) -> None:
    command = [sys.executable, "-c", APPENDS_FOR_EVER, str(path), str(path.parent / "spool.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = [int(process.stdout.readline()) for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        printed += [int(line) for line in process.stdout.read().split("\n") if line]

    assert stored(path)[: len(printed)] == printed


FORKS = """
import os, signal, sqlite3, sys, threading, time
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
ledger = open_ledger(sys.argv[1], spool_path=sys.argv[2])
ledger.append(sample_request(0))
blocker = sqlite3.connect(sys.argv[1], isolation_level=None)
blocker.execute("BEGIN IMMEDIATE")
appending = threading.Thread(target=ledger.append, args=[sample_request(1)])
appending.start()
time.sleep(0.2)  # now it waits for the blocker, and holds the ledger's lock
child = os.fork()
if child == 0:
    signal.alarm(20)
    ledger.append(sample_request(100))
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
blocker.execute("ROLLBACK")
appending.join()
ledger.append(sample_request(2))
assert ledger.flush() == 0
"""


def test_a_child_forked_in_the_middle_of_an_append_goes_on_by_itself(path: Path, stored: Stored) -> None:
    command = [sys.executable, "-c", FORKS, str(path), str(path.parent / "spool.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert sorted(stored(path)) == [0, 1, 2, 100]


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody who may not write everywhere, which root may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that others may enter and not write to; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        yield Path(folder)
        Path(folder).chmod(0o755)


def text_file(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at " * 50)


@pytest.mark.parametrize(
    ("make", "name", "problem"),
    [
        (Path.mkdir, "ledger.sqlite", "is a folder"),
        (text_file, "ledger.sqlite", "is not a SQLite database"),
        (text_file, "ledger.sqlite/ledger.sqlite", "cannot create"),
    ],
)
def test_refuses_to_start_on_what_is_no_database(
    tmp_path: Path, path: Path, make: Callable[[Path], None], name: str, problem: str
) -> None:
    make(path)
    with pytest.raises(SettingError, match=problem) as caught:
        open_ledger(tmp_path / name, spool_path=tmp_path / "spool.sqlite")
    assert caught.value.setting == "ledger"


def test_refuses_to_start_in_a_folder_it_may_not_write_to(tmp_path: Path, readable_folder: Path) -> None:
    with unprivileged(), tempfile.TemporaryDirectory() as own:
        for name in ("ledger.sqlite", "new/ledger.sqlite"):
            with pytest.raises(SettingError, match="Name a file in a folder that this user may write to"):
                open_ledger(readable_folder / name, spool_path=Path(own) / "spool.sqlite")


def test_refuses_to_start_on_a_file_it_may_not_write(readable_folder: Path) -> None:
    readable_folder.chmod(0o755)
    path = readable_folder / "ledger.sqlite"
    open_ledger(path, spool_path=readable_folder / "spool.sqlite").close()
    path.chmod(0o444)
    readable_folder.chmod(0o777)
    with unprivileged(), pytest.raises(SettingError, match=r"ledger\.sqlite cannot be written"):
        open_ledger(path, spool_path=readable_folder / "spool-of-mine.sqlite")


def test_refuses_to_start_without_a_spool(tmp_path: Path, path: Path) -> None:
    text_file(tmp_path / "spool.sqlite")
    with pytest.raises(SettingError, match=r"spool\.sqlite") as caught:
        open_ledger(path, spool_path=tmp_path / "spool.sqlite")
    assert caught.value.setting == "spool"


def test_makes_the_folders_it_needs(tmp_path: Path, stored: Stored) -> None:
    path = tmp_path / "a" / "b" / "ledger.sqlite"
    ledger = open_ledger(f"sqlite:///{path}", spool_path=tmp_path / "c" / "spool.sqlite")
    ledger.append(sample_request(1))
    ledger.close()

    assert stored(path) == [1]


def test_a_ledger_is_taken_as_it_is(path: Path) -> None:
    ledger = open_ledger(path, spool_path=path.parent / "spool.sqlite")

    assert open_ledger(ledger) is ledger
    ledger.close()


@pytest.mark.parametrize("spec", [42, ["append"], object()])
def test_says_what_is_no_ledger(spec: object) -> None:
    with pytest.raises(SettingError, match="neither a path, a URL nor a ledger"):
        open_ledger(spec)


def test_readers_do_not_make_a_ledger(path: Path) -> None:
    with pytest.raises(SettingError, match="there is no ledger at"):
        open_engine(path)
    assert not path.exists()
