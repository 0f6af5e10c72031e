"""What the addresses of data answer, over real HTTP, on either database and in every state of a ledger."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from grid import Grid, GridError, SourceDown
from grid.intensity import Series
from grid.testing import ManualClock, ScriptedSource, reading
from sprout_like.dashboard.database import NotThereYet, ReadOnlyDatabase
from sprout_like.dashboard.grid_now import GridWatch
from sprout_like.dashboard.remembered import Remembered
from sprout_like.dashboard.requests import read_book, served
from sprout_like.dashboard.rolling import Rolling
from sprout_like.dashboard.span import SPANS
from sprout_like.dashboard.traffic import traffic_of
from sprout_like.errors import LedgerUnreachable, LedgerVersionError
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.meters.testing import ManualClock as MonotonicClock
from tests.sprout_like.dashboard.ledgers import busy_month, now_request, write

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", SPANS)
@pytest.mark.parametrize(("rolled_up", "age"), [(False, timedelta()), (True, timedelta(minutes=47))])
def test_figures_are_those_of_the_rows(engine: Engine, spec: str, name: str, rolled_up: bool, age: timedelta) -> None:
    rows = [
        *busy_month(400, now_utc=NOW),
        now_request(10**6, ago=timedelta(), started_utc=NOW, energy_j=None, operational_g=None),
    ]
    write(spec, rows)
    if rolled_up:
        roll_up(engine, now_utc=NOW)
    span = SPANS[name]
    mine = [row for row in rows if row.started_utc >= span.since_utc(NOW)]
    with closing(ReadOnlyDatabase(parse_address(spec))) as database, database.reading() as reading_engine:
        past, latest = served(read_book(reading_engine, NOW - age), reading_engine, span, NOW)
    traffic = traffic_of([*past, *latest], span, NOW)
    known = [row.energy_j for row in mine if row.energy_j is not None]
    assert traffic.requests_n == len(mine)
    assert traffic.errors_n == sum(row.status == "error" for row in mine)
    assert traffic.energy_j == pytest.approx(sum(known))
    assert traffic.energy_known_n == len(known)
    assert traffic.carbon[0].operational_g == pytest.approx(sum(row.operational_g or 0 for row in mine))
    assert sum(traffic.methods.values()) == len(mine)
    assert {mix.directive: mix.requests_n for mix in traffic.directives} == {
        directive: sum(row.directive == directive for row in mine) for directive in {row.directive for row in mine}
    }


def test_nothing_can_be_written(engine: Engine, spec: str) -> None:
    write(spec, [now_request(1)])
    with closing(ReadOnlyDatabase(parse_address(spec))) as database:
        changes = ("DELETE FROM request_rows", "CREATE TABLE mine (a INTEGER)", "UPDATE workers SET state = 'idle'")
        for statement in changes:
            with (
                pytest.raises(LedgerUnreachable, match=r"read-?only"),
                database.reading() as reading_engine,
                reading_engine.begin() as connection,
            ):
                connection.execute(text(statement))


def test_a_ledger_that_is_not_there_yet_is_told_and_then_found(serve, ledger) -> None:
    board = serve(ledger, poll_s=0.01)
    answer = board.get("/api/traffic")
    assert answer.status_code == 503
    assert answer.json()["empty"] is True
    assert str(ledger) in answer.json()["error"]
    assert not ledger.exists()
    write(ledger, [now_request(1)])
    assert board.get("/api/traffic").json()["requests_n"] == 1


def test_each_part_answers_on_a_ledger_without_rows(serve, ledger) -> None:
    write(ledger, [now_request(1)])
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("DELETE FROM request_rows")
    board = serve(ledger)
    assert board.get("/api/traffic").json()["per_request_j"] is None
    assert board.get("/api/saving").json() == {"span": "day", "overall": [], "measured": [], "modelled": []}
    assert board.get("/api/jobs").json() == {"jobs": [], "more_n": 0, "workers": []}
    assert {"part": "ledger", "state": "ok"}.items() <= next(
        found for found in board.get("/api/health").json()["findings"] if found["part"] == "ledger"
    ).items()


def test_a_schema_of_a_newer_release_is_named(serve, ledger) -> None:
    write(ledger, [now_request(1)])
    with closing(ReadOnlyDatabase(parse_address(ledger))) as database:
        with database.reading():
            pass
        set_version(ledger, "9999")
        with pytest.raises(LedgerVersionError, match=r"9999.*pip install --upgrade"), database.reading():
            pass
        set_version(ledger, "0001")
        with pytest.raises(LedgerVersionError, match="sprout-like report"), database.reading():
            pass
    set_version(ledger, "9999")
    with pytest.raises(LedgerVersionError):
        serve(ledger)


def set_version(ledger: Path, version: str) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("UPDATE sprout_like_version SET version_num = ?", (version,))


def test_a_file_that_took_the_ledgers_place_is_the_one_that_is_read(serve, ledger: Path) -> None:
    write(ledger, [now_request(1)])
    other = ledger.with_name("other.sqlite")
    write(other, [now_request(n) for n in range(3)])
    board = serve(ledger, poll_s=0.01)
    assert board.get("/api/traffic").json()["requests_n"] == 1
    other.replace(ledger)
    for suffix in ("-wal", "-shm"):
        ledger.with_name(ledger.name + suffix).unlink(missing_ok=True)
    assert board.get("/api/traffic").json()["requests_n"] == 3


def test_a_file_that_is_damaged_meanwhile_is_no_fault_of_the_server(serve, ledger) -> None:
    board = serve(ledger)
    ledger.write_bytes(b"no database" * 1000)
    answer = board.get("/api/traffic")
    assert answer.status_code == 503
    assert "not a database" in answer.json()["error"]
    assert any(
        found["part"] == "ledger" and found["state"] == "fail" for found in board.get("/api/health").json()["findings"]
    )


def test_what_did_not_change_is_not_sent_again(serve, ledger) -> None:
    write(ledger, [now_request(1, ago=timedelta(hours=3))])
    board = serve(ledger, poll_s=600)
    first = board.get("/api/traffic")
    again = board.get("/api/traffic", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    asset = board.get(board.script)
    assert board.get(board.script, headers={"If-None-Match": asset.headers["ETag"]}).status_code == 304


def test_half_a_character_in_a_tag_is_still_json(serve, ledger) -> None:
    write(
        ledger,
        [
            now_request(
                1,
                directive="\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
                task="\u2028</script>",
            )
        ],
    )
    board = serve(ledger)
    assert json.loads(board.get("/api/traffic").content)["directives"][0]["directive"]


def test_no_name_turns_the_direction_of_what_is_around_it(serve, ledger) -> None:
    write(ledger, [now_request(1, directive="\u202egpj.exe")])
    told = serve(ledger).get("/api/traffic").json()
    assert told["directives"][0]["directive"] == "\ufffdgpj.exe"


def test_a_password_in_the_ledgers_address_is_never_told(serve, tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    from sprout_like.settings import Settings

    database = ReadOnlyDatabase(parse_address("postgresql://user:pass-word@127.0.0.1:1/none"))
    with closing(database), pytest.raises(LedgerUnreachable) as caught, database.reading():
        pass
    assert "pass-word" not in str(caught.value)
    assert "pass-word" not in database.name
    assert "pass-word" not in repr(Settings.load(ledger="postgresql://user:pass-word@127.0.0.1:1/none"))


def test_closing_ends_what_is_being_read(ledger: Path) -> None:
    write(ledger, [now_request(1)])
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    database, begun, ended = ReadOnlyDatabase(parse_address(ledger)), threading.Event(), []

    def read() -> None:
        try:
            with database.reading() as engine, engine.connect() as connection:
                begun.set()
                connection.execute(text(endless))
        except LedgerUnreachable as exc:
            ended.append(exc)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert begun.wait(10)
    database.close()
    thread.join(10)
    assert len(ended) == 1


def test_hours_that_are_over_are_added_up_where_it_may_be_written(ledger: Path) -> None:
    write(ledger, list(busy_month(100)))
    url = parse_address(ledger)
    clock = MonotonicClock()
    with closing(ReadOnlyDatabase(url)) as database:
        rolling = Rolling(database, url, clock)
        clock.advance((datetime.now(UTC) + timedelta(days=1) - clock.now_utc()).total_seconds())
        first = rolling.tick()
        assert first is not None
        assert first.hours_n > 10
        assert rolling.tick() is None
        clock.advance(61)
        assert rolling.tick() is not None


def test_hours_are_left_as_they_are_where_there_is_no_ledger(ledger: Path) -> None:
    url = parse_address(ledger)
    with closing(ReadOnlyDatabase(url)) as database:
        assert Rolling(database, url, MonotonicClock()).tick() is None
        with pytest.raises(NotThereYet), database.reading():
            pass
    assert not ledger.exists()


def watch(source: ScriptedSource, clock: ManualClock) -> GridWatch:
    class Both:
        def now_utc(self) -> datetime:
            return clock()

        def monotonic_s(self) -> float:
            return clock().timestamp()

    return GridWatch(lambda: Grid(source, "GB", now_utc=clock, uniform=lambda: 0.0), Both())


def test_the_hours_around_now_are_those_of_the_readings_kind() -> None:
    clock, half_hour = ManualClock(), timedelta(minutes=30)
    now_utc = clock()
    history = Series(reading(300.0, start_utc=now_utc - n * half_hour) for n in range(1, 60))
    forecast = Series(reading(100.0, start_utc=now_utc + n * half_hour, status="forecast") for n in range(150))
    with closing(watch(ScriptedSource(200.0, forecasts=[forecast], histories=[history]), clock)) as grid:
        assert grid.now().reading is None
        grid.tick()
        found = grid.now()
    assert found.reading is not None
    assert found.reading.g_per_kwh == 200.0
    assert {slot.g_per_kwh for slot in found.behind if slot.end_utc < now_utc} == {300.0}
    assert len(found.behind) in (48, 49)
    assert found.ahead[-1].end_utc == now_utc + timedelta(hours=48)


def test_a_source_that_is_down_is_told_with_what_it_said() -> None:
    with closing(watch(ScriptedSource(SourceDown("scripted: nobody answers")), ManualClock())) as grid:
        grid.tick()
        found = grid.now()
    assert found.reading is None
    assert "nobody answers" in str(found.reason)
    assert found.ahead == []


def test_a_source_that_cannot_be_set_up_is_told() -> None:
    def refuse() -> Grid:
        raise GridError("watttime: needs a user and a password")

    with closing(GridWatch(refuse, MonotonicClock())) as grid:
        grid.tick()
        assert grid.now().reason == "watttime: needs a user and a password"


def test_many_who_ask_at_once_cost_one_answer() -> None:
    made: list[str] = []
    gate = threading.Event()

    def make(key: str) -> int:
        gate.wait(10)
        made.append(key)
        return len(made)

    clock = MonotonicClock()
    remembered = Remembered(make, keep_s=5, clock=clock)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(remembered("a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    assert answers == [1] * 8
    assert (remembered("a"), remembered("b")) == (1, 2)
    clock.advance(5)
    assert remembered("a") == 3


def test_a_fault_is_not_remembered() -> None:
    answers: list[Any] = [SQLAlchemyError("gone"), 7]

    def make(_: str) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    remembered = Remembered(make, keep_s=5, clock=MonotonicClock())
    with pytest.raises(SQLAlchemyError):
        remembered("a")
    assert remembered("a") == 7
