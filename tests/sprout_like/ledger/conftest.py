"""A ledger whose database and spool fail on command, and reading back what a database holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select

from sprout_like.ledger import SqlLedger, open_engine
from sprout_like.ledger.schema import StoredRequestRow
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.testing import FailingStore, sample_request
from sprout_like.meters.testing import ManualClock


@pytest.fixture
def stored() -> Callable[[object], list[int]]:
    """Numbers of the stored sample requests, in the order in which they were written."""

    def read(spec: object) -> list[int]:
        engine = open_engine(spec)
        # The physical place of a row: nothing is ever updated or deleted, so it is the order of the inserts.
        place = literal_column("rowid" if engine.dialect.name == "sqlite" else "ctid")
        with engine.connect() as connection:
            ids = list(connection.scalars(select(StoredRequestRow.request_id).order_by(place)))
        engine.dispose()
        return [int(request_id, 16) for request_id in ids]

    return read


class Bench:
    """A ledger over a fake store and a real spool, whose folder can be taken away."""

    def __init__(self, folder: Path, *, local: bool = True, store: FailingStore | None = None) -> None:
        self.store = store or FailingStore(local=local)
        self.clock = ManualClock()
        self.spool_folder = folder / "spool"
        self.appended: list[int] = []

    def start(self) -> SqlLedger:
        self.ledger = SqlLedger(self.parts, clock=self.clock)
        return self.ledger

    def parts(self) -> tuple[FailingStore, Spool]:
        return self.store, Spool(self.spool_folder / "spool.sqlite", self.store.name)

    def append(self, count: int = 1) -> None:
        for _ in range(count):
            self.appended.append(len(self.appended))
            self.ledger.append(sample_request(self.appended[-1]))

    def wait_and_tick(self) -> None:
        self.clock.advance(60)
        self.ledger.tick()

    def break_spool(self) -> None:
        if not self.spool_folder.is_file():
            self.spool_folder.mkdir(exist_ok=True)
            self.spool_folder.rename(self.spool_folder.with_name("away"))
            self.spool_folder.touch()

    def mend_spool(self) -> None:
        if self.spool_folder.is_file():
            self.spool_folder.unlink()
            self.spool_folder.with_name("away").rename(self.spool_folder)

    @property
    def stored(self) -> list[int]:
        return [int(key, 16) for key in self.store.rows]


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    return Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A local database, started."""
    bench = Bench(tmp_path)
    bench.start()
    return bench
