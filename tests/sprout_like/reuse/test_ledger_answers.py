"""Answers in a database: shared, outliving the process, and no trouble when the database is."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, text

from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.schema import AnswerRow
from sprout_like.reuse.ledger_answers import LedgerAnswers
from sprout_like.testing import ManualClock


@dataclass
class Database:
    spec: str
    clock: ManualClock = field(default_factory=ManualClock)
    opened: list[LedgerAnswers] = field(default_factory=list)

    def open(self, most_entries: int = 10, most_bytes: int = 1000) -> LedgerAnswers:
        engine = build_engine(parse_address(self.spec))
        store = LedgerAnswers(engine, most_entries=most_entries, most_bytes=most_bytes, clock=self.clock)
        self.opened.append(store)
        return store

    def exchange(self, *stores: LedgerAnswers) -> None:
        self.clock.advance(5)
        for store in stores:
            store.tick()

    def execute(self, statement: str) -> None:
        engine = build_engine(parse_address(self.spec))
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def keys(self) -> list[str]:
        engine = build_engine(parse_address(self.spec))
        with engine.connect() as connection:
            keys = list(connection.scalars(select(AnswerRow.key).order_by(AnswerRow.key)))
        engine.dispose()
        return keys


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    database = Database(str(tmp_path / "ledger.sqlite") if sqlite else request.getfixturevalue("postgres_url"))
    yield database
    for store in database.opened:
        store.close()


def test_answers_outlive_the_process(database: Database) -> None:
    first = database.open()
    first.put("a", "[1]")
    first.close()

    assert database.open().get("a") == "[1]"


def test_processes_share_their_answers(database: Database) -> None:
    one, other = database.open(), database.open()
    one.put("a", "[1]")
    other.put("b", "[2]")
    database.exchange(one, other, one)
    assert other.get("a") == "[1]"
    assert one.get("b") is None  # the exchange is not due yet
    database.exchange(one)
    assert one.get("b") == "[2]"


def test_two_that_found_the_same_answer_keep_it_once(database: Database) -> None:
    one, other = database.open(), database.open()
    for store in (one, other):
        store.put("a", "[1]")
    database.exchange(one, other)
    assert database.keys() == ["a"]


def test_a_clock_that_is_behind_hides_no_answer(database: Database) -> None:
    other = database.open()
    late = Database(database.spec, ManualClock(), database.opened)
    database.exchange(other)
    store = late.open()
    store.put("a", "[1]")
    late.exchange(store)
    database.exchange(other)
    assert other.get("a") == "[1]"


@pytest.mark.parametrize("bounds", [{"most_entries": 2}, {"most_bytes": 7}], ids=str)
def test_the_table_is_bounded_and_keeps_what_was_used_last(database: Database, bounds: dict[str, int]) -> None:
    store = database.open(**bounds)
    for key in "ab":
        store.put(key, "[1]")
        database.exchange(store)
    store.get("a")
    database.exchange(store)
    store.put("c", "[1]")
    database.exchange(store)
    assert database.keys() == ["a", "c"]
    store.close()

    again = database.open(**bounds)
    again.put("d", "[1]")
    assert (again.get("a"), again.get("c")) == (None, "[1]")  # in memory the latest used is the last to go, too


def test_more_answers_than_one_statement_takes(database: Database) -> None:
    store = database.open(most_entries=1000, most_bytes=10**6)
    for number in range(450):
        store.put(f"{number:03}", f"[{number}]")
    store.close()
    again = database.open(most_entries=1000, most_bytes=10**6)
    assert all(again.get(f"{number:03}") == f"[{number}]" for number in range(450))
    again.close()
    small = database.open(most_entries=3)
    small.put("x", "[1]")
    small.close()
    assert len(database.keys()) == 3


def test_an_outage_is_said_once_and_costs_no_answer(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    store = database.open()
    store.put("a", "[777777]")
    store.get("a")
    database.execute("ALTER TABLE answers RENAME TO away")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            database.clock.advance(400)
            store.tick()
        store.put("b", "[2]")
        assert store.get("a") == "[777777]"
    (said,) = caplog.messages
    assert "cannot be exchanged" in said
    assert "777777" not in said

    database.execute("ALTER TABLE away RENAME TO answers")
    database.clock.advance(400)
    store.tick()
    assert database.keys() == ["a", "b"]


def test_in_an_outage_the_keys_of_what_has_gone_go_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Key(str):
        """One that tells whether somebody holds it."""

        __slots__ = ("__weakref__",)

    store = Database(str(tmp_path / "absent" / "ledger.sqlite")).open(most_entries=2)
    held = []
    for name in "abcdef":
        key = Key(name)
        held.append(weakref.ref(key))
        store.put(key, "[1]")
        store.get(key)
    del key
    store.close()
    gc.collect()
    assert [each() for each in held] == [None] * 4 + ["e", "f"]


def test_after_a_failure_the_database_is_left_alone_for_a_while(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store = database.open()
    store.put("a", "[1]")
    database.execute("ALTER TABLE answers RENAME TO away")
    database.exchange(store)
    database.execute("ALTER TABLE away RENAME TO answers")
    database.exchange(store)
    assert database.keys() == []
    database.exchange(store)
    assert database.keys() == ["a"]


def test_a_database_that_is_not_there_at_the_start_is_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(str(tmp_path / "later" / "ledger.sqlite"))
    store = database.open()
    store.put("a", "[1]")
    (tmp_path / "later").mkdir()
    database.clock.advance(60)
    store.tick()
    assert database.keys() == ["a"]
    store.close()


def test_requests_touch_no_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "ledger.sqlite"
    store = Database(str(path)).open()
    path.write_bytes(b"no database any more" * 100)
    store.put("a", "[1]")
    assert store.get("a") == "[1]"
    assert store.get("b") is None
    assert not caplog.messages
    store.close()
    assert "cannot be exchanged" in caplog.text
