"""A row comes back exactly as it went: through JSON, through the spool, through both databases."""

from __future__ import annotations

import json
import string
import typing
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from sprout_like.errors import RowRefused
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.rows import KINDS, Record, from_json, to_json
from sprout_like.ledger.schema import Base, StoredRequestRow
from sprout_like.ledger.schema_requests import View
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.store import Store
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.record import AccountRecord, IntensityRecord, RequestRecord

TABLES = {**Base.metadata.tables, **View.metadata.tables}

# What both databases can hold: PostgreSQL's text has no NUL, and neither has lone surrogates.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ids = st.text(string.hexdigits[:16], min_size=32, max_size=32)
zones = st.one_of(st.just(UTC), st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours, minutes=30))))
stamps = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001 - zones are added
BASIC = {
    str: texts,
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(0, 2**31 - 1),
    bool: st.booleans(),
    datetime: stamps,
}


def values(hint: object) -> st.SearchStrategy[object]:
    if hint in BASIC:
        return BASIC[hint]
    members = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(members)
    if typing.get_origin(hint) is Mapping:
        return st.dictionaries(values(members[0]), values(members[1]), max_size=3)
    return st.none() | values(members[0])


def records(kind: type[Record]) -> st.SearchStrategy[Record]:
    fields = {name: values(hint) for name, hint in typing.get_type_hints(kind).items()}
    return st.builds(kind, **fields | {"request_id": ids} if kind is RequestRecord else fields)


any_record = st.one_of(records(RequestRecord), records(AccountRecord), records(IntensityRecord))
KIND_OF = {record: kind for kind, record in KINDS.items()}


@given(any_record)
def test_through_json(record: Record) -> None:
    assert from_json(KIND_OF[type(record)], to_json(record)) == record


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    spool = Spool(tmp_path_factory.mktemp("rows") / "spool.sqlite", "test:")
    yield spool
    spool.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(any_record, max_size=5))
def test_through_the_spool(spool: Spool, rows: list[Record]) -> None:
    spool.put(rows)

    received: list[Record] = []
    assert spool.drain(received.extend, batch=2) == len(rows)
    assert received == rows
    assert spool.pending() == 0


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Engine]]:
    if request.param == "sqlite":
        engine = build_engine(parse_address(tmp_path_factory.mktemp("rows") / "ledger.sqlite"))
        store: Store = SqliteStore(engine)
    else:
        server = request.getfixturevalue("postgres_server")
        engine = build_engine(parse_address(server.create_database()))
        store = PostgresStore(engine)
    store.prepare()
    yield store, engine
    store.close()


@settings(max_examples=40, deadline=None)
@given(any_record)
def test_through_a_database(database: tuple[Store, Engine], record: Record) -> None:
    store, engine = database
    table = TABLES[KIND_OF[type(record)]]
    with engine.begin() as connection:
        connection.execute(delete(StoredRequestRow if isinstance(record, RequestRecord) else table))

    store.insert([record])

    with engine.connect() as connection:
        row = connection.execute(select(table)).mappings().one()
    assert type(record)(**row) == record


def test_columns_that_the_writer_did_not_know_yet_take_their_defaults() -> None:
    older = json.loads(to_json(sample_request()))
    del older["embodied_g"]

    assert from_json("requests", json.dumps(older)) == sample_request(embodied_g=None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("requests", "{"),
        ("requests", "[]"),
        ("requests", '{"request_id": "1"}'),
        ("requests", '{"a_newer_column": 1}'),
        ("requests", '{"started_utc": "yesterday"}'),
        ("a_newer_table", "{}"),
    ],
)
def test_what_is_no_row_is_refused(kind: str, text: str) -> None:
    with pytest.raises(RowRefused, match="not a row of this release"):
        from_json(kind, text)


def test_any_mapping_will_do() -> None:
    assert from_json("requests", to_json(sample_request(tags=MappingProxyType({"a": "b"})))).tags == {"a": "b"}


@pytest.mark.parametrize("tags", [{"a": object()}, {(1, 2): "a"}, {"at": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_values_without_a_json_form_are_refused(tags: dict[object, object]) -> None:
    with pytest.raises(RowRefused):
        to_json(sample_request(tags=tags))


def test_accounts_go_the_same_way() -> None:
    assert from_json("energy_accounts", to_json(sample_account())) == sample_account()
