"""How a driver's error is read where the real thing cannot be had on demand."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from sprout_like.errors import LedgerUnreachable, SettingError
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error, as_write_error
from sprout_like.ledger.sqlite_file import set_up

URL = parse_address("postgresql://me:secret@db/carbon")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("failed to resolve host 'db': [Errno -2] Name or service not known", SettingError),
        ("failed to resolve host 'db': [Errno -3] Temporary failure in name resolution", LedgerUnreachable),
        ('could not translate host name "db" to address: Name or service not known', SettingError),
        ("connection to server failed: FATAL:  the database system is starting up", LedgerUnreachable),
        ("connection to server failed: FATAL:  sorry, too many clients already", LedgerUnreachable),
        ('connection to server failed: FATAL:  role "me" does not exist', SettingError),
        ('connection to server failed: FATAL:  no pg_hba.conf entry for host "10.0.0.1"', SettingError),
    ],
)
def test_what_may_pass_is_an_outage_and_what_must_be_changed_is_a_setting(message: str, kind: type[Exception]) -> None:
    error = as_startup_error(OperationalError("SELECT 1", None, Exception(message)), URL)

    assert type(error) is kind
    assert message in str(error)
    assert "secret" not in str(error)


def test_neither_the_statement_nor_its_values_get_into_a_message() -> None:
    cause = Exception("disk full\nDETAIL:  Failing row contains (a tag of the user)")
    error = as_write_error(OperationalError("INSERT INTO requests", {"tags": "a tag of the user"}, cause), URL)

    assert str(error) == "postgresql://db:5432/carbon: disk full"


class Seen(Exception):
    pass


@pytest.mark.parametrize(("options", "expected_s"), [("", 5), ("?connect_timeout=2", "2")])
def test_no_attempt_to_connect_lasts_for_ever(options: str, expected_s: object) -> None:
    engine = build_engine(parse_address(f"postgresql://me:secret@db/carbon{options}"))
    seen: dict[str, object] = {}

    @event.listens_for(engine, "do_connect")
    def look(dialect: object, record: object, arguments: object, parameters: dict[str, object]) -> None:
        seen.update(parameters)
        raise Seen

    with pytest.raises(Seen):
        engine.connect()
    assert seen["connect_timeout"] == expected_s
    assert seen["prepare_threshold"] is None


def test_the_switch_to_wal_waits_for_another_process(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE made_by_the_other (n)")
        threading.Timer(0.1, other.execute, ["COMMIT"]).start()
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            set_up(connection)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
