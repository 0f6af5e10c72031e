"""Adding hours up beside those who write: what a writer has not committed yet, or commits meanwhile, is never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, event, insert, select, text

from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import MIGRATIONS, ensure_schema
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import StaleHourRow
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.testing import sample_request
from sprout_like.ledger.testing_postgres import PostgresServer
from sprout_like.meters.testing import ManualClock

_OF_REQUESTS = "request_rows, request_contexts, request_periods"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)


@pytest.fixture
def other(spec: str, engine: Engine) -> Iterator[Engine]:
    """The database as another process has it open."""
    other = build_engine(parse_address(spec))
    yield other
    other.dispose()


@contextmanager
def just_before(engine: Engine, statement: str, act: Callable[[], object], *, time: int = 1) -> Iterator[None]:
    """Do something when the engine is about to execute a statement that begins so, for the first or a later time."""
    seen: list[str] = []

    def look(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if sql.startswith(statement):
            seen.append(sql)
            if len(seen) == time:
                act()

    event.listen(engine, "before_cursor_execute", look)
    yield
    event.remove(engine, "before_cursor_execute", look)
    assert len(seen) >= time


def stale(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        found = connection.execute(select(StaleHourRow.hour_utc, StaleHourRow.session_id)).all()
    return sorted((hour.hour, session[:1]) for hour, session in found)


def add(engine: Engine, number: int, **changes: Any) -> None:
    with engine.begin() as connection:
        insert_requests(connection, [sample_request(number, **changes)])


def test_hours_that_are_over_are_added_up_and_the_current_one_is_not(sheet: Any) -> None:
    sheet.store(*(sample_request(1800 * number) for number in range(6)))

    outcome = roll_up(sheet.engine, now_utc=NOON + timedelta(hours=2, minutes=59))

    assert (outcome.hours_n, outcome.requests_n, outcome.lines_n, outcome.left_n) == (2, 4, 2, 0)
    assert outcome.ended == "done"
    assert stale(sheet.engine) == [(14, "5")]
    assert roll_up(sheet.engine, now_utc=NOON + timedelta(hours=2)).hours_n == 0


def test_a_row_that_comes_late_makes_its_hour_stale_once_per_session(sheet: Any) -> None:
    sheet.store(sample_request(0))
    roll_up(sheet.engine, now_utc=LATER)
    sheet.store(
        *(sample_request(number, session_id=session * 32) for session, number in [("a", 1), ("b", 2), ("a", 3)])
    )

    assert stale(sheet.engine) == [(12, "a"), (12, "b")]
    assert sheet.requests_n() == 4


def test_a_row_that_is_sent_again_makes_nothing_stale(sheet: Any) -> None:
    store = (SqliteStore if sheet.engine.dialect.name == "sqlite" else PostgresStore)(sheet.engine)
    store.prepare()
    store.insert([sample_request(0)])
    roll_up(sheet.engine, now_utc=LATER)

    store.insert([sample_request(0)])
    store.insert([sample_request(0), sample_request(3600)])

    assert stale(sheet.engine) == [(13, "5")]
    store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("marked_before", [False, True])
def test_rows_that_are_not_committed_yet_leave_their_hour_stale(
    postgres_url: str, sheet_of: Callable[[Engine], Any], marked_before: bool
) -> None:
    engine, writer = (build_engine(parse_address(postgres_url)) for _ in range(2))
    ensure_schema(engine)
    add(engine, 0, session_id=("5" if marked_before else "6") * 32)
    with writer.begin() as connection:
        insert_requests(connection, [sample_request(1)])
        roll_up(engine, now_utc=LATER)

    assert (12, "5") in stale(engine)
    assert sheet_of(engine).requests_n() == 2
    roll_up(engine, now_utc=LATER)
    assert stale(engine) == []
    assert sheet_of(engine).requests_n() == 2
    engine.dispose()
    writer.dispose()


def test_a_file_that_somebody_else_writes_into_is_left_for_later(tmp_path: Any, sheet_of: Any) -> None:
    engine, writer = (build_engine(parse_address(tmp_path / "ledger.sqlite")) for _ in range(2))
    ensure_schema(engine)
    add(engine, 0)
    with writer.begin() as connection:
        insert_requests(connection, [sample_request(1)])
        outcome = roll_up(engine, now_utc=LATER)

    assert (outcome.ended, outcome.hours_n, outcome.left_n) == ("busy", 0, 1)
    assert sheet_of(engine).requests_n() == 2
    engine.dispose()
    writer.dispose()


@pytest.mark.parametrize("moment", ["SELECT requests.started_utc", "DELETE FROM stale_hours"])
@pytest.mark.parametrize("session", ["5", "6"])
def test_a_row_that_comes_between_claim_and_sums_leaves_its_hour_stale(
    sheet: Any, other: Engine, moment: str, session: str
) -> None:
    sheet.store(sample_request(0))
    if moment.startswith("SELECT"):
        moment = "SELECT substr(" if sheet.engine.dialect.name == "sqlite" else "SELECT date_trunc("

    with just_before(sheet.engine, moment, lambda: add(other, 1, session_id=session * 32)):
        roll_up(sheet.engine, now_utc=LATER)

    assert stale(sheet.engine) == [(12, session)]
    assert sheet.requests_n() == 2


def test_of_two_who_add_up_the_same_hour_the_one_with_older_rows_gives_way(sheet: Any, other: Engine) -> None:
    sheet.store(sample_request(0))

    def overtake() -> None:
        add(other, 1)
        assert roll_up(other, now_utc=LATER).requests_n == 2

    locked = sheet.engine.dialect.name == "postgresql"
    moment, time = ("SELECT pg_advisory", 2) if locked else ("DELETE FROM stale_hours", 1)
    with just_before(sheet.engine, moment, overtake, time=time):
        outcome = roll_up(sheet.engine, now_utc=LATER)

    assert (outcome.hours_n, outcome.left_n) == (0, 0)
    assert sheet.requests_n() == 2


def test_one_who_dies_after_the_claim_leaves_the_hours_to_the_next(sheet: Any) -> None:
    sheet.store(sample_request(0))

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), just_before(sheet.engine, "DELETE FROM stale_hours", die):
        roll_up(sheet.engine, now_utc=LATER)

    assert sheet.requests_n() == 1
    assert roll_up(sheet.engine, now_utc=LATER).hours_n == 1


def test_no_further_hour_is_begun_when_the_time_is_up(sheet: Any) -> None:
    sheet.store(*(sample_request(3600 * number) for number in range(3)))
    clock = ManualClock()

    outcome = roll_up(
        sheet.engine, now_utc=LATER, budget_s=1.0, clock=clock, progress=lambda _done, _of: clock.advance(2)
    )

    assert (outcome.ended, outcome.hours_n, outcome.left_n) == ("budget", 1, 2)
    assert sheet.requests_n() == 3


def test_hours_from_before_there_were_sums_are_added_up(spec: str, sheet_of: Any) -> None:
    engine = build_engine(parse_address(spec))
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0007")
        requests = Table("requests", MetaData(), autoload_with=connection)
        connection.execute(insert(requests), [sample_request(number).as_dict() for number in (0, 3600)])

    ensure_schema(engine)

    assert stale(engine) == [(12, ""), (13, "")]
    assert sheet_of(engine).requests_n() == 2
    assert roll_up(engine, now_utc=LATER).requests_n == 2
    assert sheet_of(engine).requests_n() == 2
    engine.dispose()


def test_a_tag_of_its_own_in_every_request_makes_a_line_of_each(sheet: Any) -> None:
    sheet.store(*(sample_request(number, tags={"user": str(number)}) for number in range(3000)))

    outcome = roll_up(sheet.engine, now_utc=LATER)

    assert (outcome.requests_n, outcome.lines_n) == (3000, 3000)
    assert sheet.facts() == sheet.rows()


def test_who_may_only_read_a_file_reads_its_rows(tmp_path: Any, sheet_of: Any) -> None:
    engine = build_engine(parse_address(tmp_path / "ledger.sqlite"))
    ensure_schema(engine)
    add(engine, 0)
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA query_only=ON"))

    outcome = roll_up(engine, now_utc=LATER)

    assert (outcome.ended, outcome.left_n) == ("read_only", 1)
    assert sheet_of(engine).requests_n() == 1
    engine.dispose()


@pytest.mark.postgres
def test_users_who_may_read_or_write_requests_alone(
    postgres_server: PostgresServer, postgres_url: str, sheet_of: Any
) -> None:
    """One reads, and adds nothing up; the other writes, and its hours are stale all the same."""
    owner = build_engine(parse_address(postgres_url))
    ensure_schema(owner)
    database = postgres_url.rpartition("/")[2]
    with owner.begin() as connection:
        rights_of = {
            "reader": "SELECT ON ALL TABLES IN SCHEMA public",
            "writer": f"INSERT, SELECT ON {_OF_REQUESTS}",
        }
        for user, rights in rights_of.items():
            connection.execute(text(f"CREATE ROLE {user}_{database} LOGIN PASSWORD 'pass'"))
            connection.execute(text(f"GRANT {rights} TO {user}_{database}"))
    reader, writer = (
        build_engine(parse_address(postgres_server.url(database, user=f"{user}_{database}", password="pass")))
        for user in ("reader", "writer")
    )
    add(writer, 0)

    assert roll_up(reader, now_utc=LATER).ended == "read_only"
    assert sheet_of(reader).requests_n() == 1
    assert roll_up(owner, now_utc=LATER).hours_n == 1
    for engine in (reader, writer, owner):
        engine.dispose()


@pytest.mark.postgres
def test_a_table_that_is_emptied_has_no_facts(postgres_url: str, sheet_of: Any) -> None:
    engine = build_engine(parse_address(postgres_url))
    ensure_schema(engine)
    add(engine, 0)
    roll_up(engine, now_utc=LATER)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE request_rows"))

    assert sheet_of(engine).facts() == []
    engine.dispose()


def test_a_day_that_is_over_is_added_up_from_its_hours(sheet: Any) -> None:
    sheet.store(*(sample_request(3600 * number) for number in range(48)))

    roll_up(sheet.engine, now_utc=NOON + timedelta(hours=40))

    assert sheet.days() == [12, 24] + [1] * 12
    assert sheet.days(since_utc=NOON, until_utc=NOON + timedelta(hours=36)) == [1] * 12 + [24]
    assert sheet.days(since_utc=NOON - timedelta(hours=12), until_utc=NOON + timedelta(hours=13)) == [12, 1]


def test_a_row_that_comes_late_is_in_its_day(sheet: Any) -> None:
    sheet.store(sample_request(0), sample_request(3600))
    roll_up(sheet.engine, now_utc=LATER)
    sheet.store(sample_request(1))

    assert sorted(sheet.days()) == [1, 2]
    roll_up(sheet.engine, now_utc=LATER)
    assert sheet.days() == [3]


def test_a_row_that_comes_while_its_day_is_added_up_is_in_it(sheet: Any, other: Engine) -> None:
    sheet.store(sample_request(0))

    def overtake() -> None:
        add(other, 1)
        roll_up(other, now_utc=LATER)

    locked = sheet.engine.dialect.name == "postgresql"
    moment, time = ("SELECT pg_advisory", 4) if locked else ("DELETE FROM stale_days", 1)
    with just_before(sheet.engine, moment, overtake, time=time):
        roll_up(sheet.engine, now_utc=LATER)

    assert sheet.days() == [2]


@pytest.mark.parametrize("gone", ["request_contexts", "request_periods"])
def test_an_hour_with_a_row_whose_parts_are_missing_is_read_from_the_rows(sheet: Any, gone: str) -> None:
    add(sheet.engine, 1)
    add(sheet.engine, 2, started_utc=NOON + timedelta(hours=1))
    with sheet.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {gone}"))
        insert_requests(connection, [sample_request(3, started_utc=NOON + timedelta(hours=2), task="other", pue=1.5)])

    found = roll_up(sheet.engine, now_utc=LATER)

    assert (found.hours_n, found.left_n, found.ended) == (1, 2, "done")
    assert sheet.requests_n() == 3


def test_rows_that_are_deleted_after_their_parts_are_gone_from_the_sums(sheet: Any) -> None:
    add(sheet.engine, 1)
    roll_up(sheet.engine, now_utc=LATER)

    with sheet.engine.begin() as connection:
        connection.execute(text("DELETE FROM request_periods"))
        connection.execute(text("DELETE FROM request_rows"))

    assert sheet.facts() == []
