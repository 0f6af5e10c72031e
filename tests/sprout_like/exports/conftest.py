"""A middleware whose rows are of no consequence, and ledgers with given rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.feed import Feed, Live, Seen
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import MemoryLedger
from sprout_like.record import AccountRecord, RequestRecord
from sprout_like.testing import NullEngine


@pytest.fixture
def wrap() -> Iterator[Callable[..., CarbonAware]]:
    """Makes a middleware, closed in the end."""
    made: list[CarbonAware] = []

    def make(**parts: Any) -> CarbonAware:
        defaults = {"engine": NullEngine(), "grid": 100, "ledger": MemoryLedger(), "meter": "none", "policy": "full"}
        made.append(CarbonAware(None, **{**defaults, **parts}))
        return made[-1]

    yield make
    for aware in made:
        aware.close()


class Followable:
    """What exporters follow, told of whatever a test likes."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def put(self, *records: RequestRecord | AccountRecord) -> None:
        for record in records:
            self.live.feed.put(record)


@pytest.fixture
def followed(wrap: Callable[..., CarbonAware]) -> Iterator[Followable]:
    """With a grid, a policy and a ledger behind it, and rows made up by the test."""
    live = wrap().live
    feed = Feed()
    yield Followable(Live(feed, live.grid, live.ledger, live.policy, "null", "none"))
    feed.close()


@pytest.fixture
def seen() -> Callable[..., list[Seen]]:
    """Rows as an exporter is told of them."""
    from contextvars import copy_context

    return lambda *records: [Seen(record, copy_context()) for record in records]


Fill = Callable[[Iterable[Any]], str]


def filling(spec: str, folder: Path) -> Fill:
    def write(rows: Iterable[Any]) -> str:
        ledger = open_ledger(spec, spool_path=folder / "spool.sqlite")
        for row in rows:
            ledger.append(row)
        assert ledger.flush() == 0
        ledger.close()
        return spec

    return write


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Writes rows to a new ledger; returns where it is."""
    return filling(str(tmp_path / "ledger.sqlite"), tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def fill_either(request: pytest.FixtureRequest, tmp_path: Path) -> Fill:
    """The same on either database."""
    is_file = request.param == "sqlite"
    return filling(str(tmp_path / "ledger.sqlite") if is_file else request.getfixturevalue("postgres_url"), tmp_path)
