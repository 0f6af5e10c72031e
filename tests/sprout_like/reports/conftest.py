"""Ledgers with given rows, on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sprout_like.ledger import open_engine, open_ledger
from sprout_like.record import AccountRecord, RequestRecord

Fill = Callable[[Iterable[RequestRecord | AccountRecord]], Engine]


@pytest.fixture
def fill_ledger(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Writes rows to the ledger of that name or URL and opens it to be read."""
    engines: list[Engine] = []

    def fill(spec: str, rows: Iterable[RequestRecord | AccountRecord]) -> Engine:
        ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
        for row in rows:
            ledger.append(row)
        assert ledger.flush() == 0
        ledger.close()
        engines.append(open_engine(spec))
        return engines[-1]

    yield fill
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def filled(request: pytest.FixtureRequest, tmp_path: Path, fill_ledger: Callable[..., Engine]) -> Fill:
    """Writes rows to a new ledger and opens it to be read."""
    spec = str(tmp_path / "ledger.sqlite")
    if request.param == "postgresql":
        spec = request.getfixturevalue("postgres_url")
    return lambda rows: fill_ledger(spec, rows)
