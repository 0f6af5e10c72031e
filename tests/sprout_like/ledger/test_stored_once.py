"""What repeats in requests is stored once, and nothing that goes wrong with it goes unnoticed."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update

from sprout_like.errors import RowRefused
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.schema import ContextRow, PeriodRow, RequestRow, StoredRequestRow
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.store import Store
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord

Database = tuple[Store, Engine]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stored-once")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    spec = tmp_path / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = build_engine(parse_address(spec))
    store = (SqliteStore if request.param == "sqlite" else PostgresStore)(build_engine(parse_address(spec)))
    store.prepare()
    yield store, engine
    store.close()
    engine.dispose()


def read(engine: Engine) -> list[RequestRecord]:
    with engine.connect() as connection:
        rows = connection.execute(select(RequestRow.__table__).order_by(RequestRow.request_id)).mappings()
        return [RequestRecord(**row) for row in rows]


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def change(engine: Engine, statement: Any) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


@pytest.mark.parametrize("at_once", [False, True])
def test_what_repeats_is_stored_once(database: Database, at_once: bool) -> None:
    store, engine = database
    start = sample_request(0).intensity_start_utc
    records = [sample_request(number, intensity_start_utc=start) for number in range(5)]

    for batch in [records] if at_once else [[record] for record in records]:
        store.insert(batch)

    assert read(engine) == records
    assert (count(engine, ContextRow), count(engine, PeriodRow)) == (1, 1)


def test_processes_give_the_same_the_same_key(database: Database, tmp_path: Path) -> None:
    store, engine = database
    other = type(store)(build_engine(engine.url))
    other.prepare()
    store.insert([sample_request(1, tags={"a": "1", "b": "2"})])
    other.insert([sample_request(1 << 8, tags={"b": "2", "a": "1"}, started_utc=sample_request(1).started_utc)])
    other.close()

    assert (count(engine, ContextRow), count(engine, StoredRequestRow)) == (1, 2)


@pytest.mark.parametrize("gone", [ContextRow, PeriodRow])
@pytest.mark.parametrize("batch", [1, 2])
def test_what_somebody_took_away_is_written_again(database: Database, gone: Any, batch: int) -> None:
    """As where a copy of the database is put back under a process that goes on."""
    store, engine = database
    store.insert([sample_request(0)])
    change(engine, delete(StoredRequestRow))
    change(engine, delete(gone))

    records = [sample_request(number) for number in range(1, 1 + batch)]
    store.insert(records)

    assert read(engine) == records


@pytest.mark.parametrize("batch", [1, 2])
def test_two_contents_of_one_key_are_noticed(database: Database, batch: int) -> None:
    """Another process had a context of the same key: its content is another now."""
    store, engine = database
    store.insert([sample_request(0)])
    change(engine, update(ContextRow).values(directive="something else"))
    other = type(store)(build_engine(engine.url))
    other.prepare()

    with pytest.raises(RowRefused, match="something else"):
        other.insert([sample_request(number) for number in range(1, 1 + batch)])
    other.close()

    assert count(engine, StoredRequestRow) == 1


def test_a_refused_batch_leaves_no_belief_behind(database: Database) -> None:
    """Its parts were rolled back with it; the row that comes next writes them."""
    store, engine = database
    with pytest.raises(RowRefused):
        store.insert([sample_request(1), sample_request(2, duration_s=None)])
    store.insert([sample_request(1)])

    assert read(engine) == [sample_request(1)]


def test_tags_of_single_requests_stay_with_them(database: Database) -> None:
    store, engine = database
    records = [sample_request(number, tags={"user": str(number)}) for number in range(600)]

    store.insert(records)

    assert read(engine) == records
    assert count(engine, ContextRow) == 513, "those of the first 512, and one without"


Joules = st.floats(-1e15, 1e15) | st.floats(allow_nan=False, allow_infinity=False) | st.just(0.0)


@settings(max_examples=200, deadline=None)
@given(st.tuples(Joules, Joules, Joules), st.permutations(["GPU-$g", 'a "b"\\', "rapl:$c", "é"]), st.booleans())
def test_energies_by_device_come_back_exactly(
    folder: Path, parts: tuple[float, float, float], names: list[str], one_more: bool
) -> None:
    """They are written out by the database, from the parts."""
    engine = build_engine(parse_address(folder / "ledger.sqlite"))
    store = SqliteStore(build_engine(engine.url))
    store.prepare()
    change(engine, delete(StoredRequestRow))
    by_device = dict(zip(names, (*parts, *([math.pi] if one_more else [])), strict=False))
    record = sample_request(gpu_j=parts[0], cpu_j=parts[1], dram_j=parts[2], energy_by_device_j=by_device)

    store.insert([record])

    assert read(engine) == [record]
    store.close()
    engine.dispose()


def test_users_read_json_with_the_database_alone(tmp_path: Path) -> None:
    store = SqliteStore(build_engine(parse_address(tmp_path / "ledger.sqlite")))
    store.prepare()
    store.insert([sample_request()])
    store.close()
    query = """
        SELECT json_extract(energy_by_device_j, '$.GPU-0'), json_extract(tags, '$.team'), json_type(knob_counts)
        FROM requests
    """
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        assert connection.execute(query).fetchall() == [(15.0, "search", "object")]


@pytest.mark.parametrize(
    "changes",
    [
        {"reuse": "answer", "energy_by_device_j": {}, "energy_j": 0.0, "gpu_j": None, "cpu_j": None, "dram_j": None},
        {"settled_g_per_kwh": 100.0, "settled_status": "actual", "settled_operational_g": None},
    ],
)
@pytest.mark.parametrize("write", [lambda s, r: s.insert([r]), lambda s, r: s.insert([r, sample_request(9)])])
def test_rows_of_other_kinds(
    database: Database, changes: dict[str, Any], write: Callable[[Store, RequestRecord], None]
) -> None:
    store, engine = database
    record = sample_request(1, **changes)

    write(store, record)
    write(store, record)

    assert read(engine)[0] == record


def test_energies_by_device_come_back_as_floats(database: Database) -> None:
    """Whole ones too, and from either database."""
    store, engine = database
    record = sample_request(gpu_j=15.0, cpu_j=0.0, dram_j=1e14, energy_by_device_j={"g": 15.0, "c": 0.0, "d": 1e14})

    store.insert([record])

    assert [repr(value) for value in read(engine)[0].energy_by_device_j.values()] == [
        "15.0",
        "0.0",
        "100000000000000.0",
    ]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_figure_that_is_no_number_is_unknown(database: Database, batch: int) -> None:
    store, engine = database
    figures = {"intensity_g_per_kwh": math.nan, "energy_j": math.nan}
    for first in (0, 10):
        store.prepare()  # what it remembers of the database is forgotten

        store.insert([sample_request(first + number, **figures) for number in range(batch)])

    assert [(row.intensity_g_per_kwh, row.energy_j) for row in read(engine)] == [(None, None)] * 2 * batch
