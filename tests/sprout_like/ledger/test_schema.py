"""The tables mirror the records, and the migrations make these tables."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Engine, create_engine, insert, inspect, select, text
from sqlalchemy.exc import StatementError

import sprout_like
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import HEAD, MIGRATIONS, VERSION_TABLE, ensure_schema
from sprout_like.ledger.requests_view import requests_view
from sprout_like.ledger.rows import KINDS
from sprout_like.ledger.schema import AccountRow, Base, UtcStamp
from sprout_like.ledger.schema_doc import meanings, schema_markdown
from sprout_like.ledger.schema_requests import View
from sprout_like.ledger.testing import sample_account

TABLES = {**Base.metadata.tables, **View.metadata.tables}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    spec = tmp_path / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = build_engine(parse_address(spec))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("table", KINDS)
def test_columns_are_the_fields_of_the_record_in_name_order_and_type(table: str) -> None:
    hints = typing.get_type_hints(KINDS[table])
    columns = TABLES[table].columns

    assert [column.name for column in columns] == list(hints)
    for column in columns:
        members = typing.get_args(hints[column.name]) if _is_union(hints[column.name]) else (hints[column.name],)
        assert column.nullable == (type(None) in members), column.name
        python_type = datetime if isinstance(column.type, UtcStamp) else column.type.python_type
        assert python_type is _stored_as(members[0]), column.name


def test_migrations_from_nothing_make_the_tables_of_the_code(engine: Engine) -> None:
    ensure_schema(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD


def test_the_view_of_migrations_is_the_one_of_the_code(engine: Engine) -> None:
    def definition(of: Engine) -> str:
        with of.connect() as connection:
            return str(inspect(connection).get_view_definition("requests"))

    ensure_schema(engine)
    migrated = definition(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW requests"))
        connection.exec_driver_sql(requests_view(engine.dialect.name))

    assert definition(engine) == migrated


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_migrations_lie_in_the_package() -> None:
    assert MIGRATIONS.is_relative_to(Path(sprout_like.__file__).parent)


def test_stamps_come_back_aware_and_in_utc(engine: Engine) -> None:
    ensure_schema(engine)
    moment = datetime(2026, 3, 1, 23, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7)))
    with engine.begin() as connection:
        connection.execute(insert(AccountRow), sample_account(started_utc=moment).as_dict())

    with engine.connect() as connection:
        stamp = connection.scalar(select(AccountRow.started_utc))

    assert stamp == moment
    assert stamp.tzinfo is UTC


def test_naive_stamps_are_refused() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    naive = sample_account(started_utc=datetime(2026, 3, 1))  # noqa: DTZ001 - what is refused
    with pytest.raises(StatementError, match="without a time zone"), engine.begin() as connection:
        connection.execute(insert(AccountRow), naive.as_dict())
    engine.dispose()


def test_the_documentation_is_up_to_date() -> None:
    written = Path(__file__).parents[3] / "docs" / "schema.md"

    assert written.read_text() == schema_markdown(), "python -m sprout_like.ledger.schema_doc > docs/schema.md"


@pytest.mark.parametrize(
    "table",
    [
        *KINDS,
        *(name for name in Base.metadata.tables if name.startswith(("job", "request_"))),
        "workers",
        "stale_hours",
        "stale_days",
    ],
)
def test_every_column_has_a_meaning(table: str) -> None:
    assert meanings(table).keys() == set(TABLES[table].columns.keys())
    assert all(meanings(table).values())


def _is_union(hint: object) -> bool:
    return isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union


def _stored_as(kind: object) -> type:
    if typing.get_origin(kind) is typing.Literal:
        return str
    if typing.get_origin(kind) is Mapping:
        return JSON().python_type
    assert isinstance(kind, type)
    return kind
