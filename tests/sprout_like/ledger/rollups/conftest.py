"""A ledger to write into and read back, row by row or as facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.rollups.facts import daily_facts, facts
from sprout_like.ledger.rollups.live import live
from sprout_like.ledger.schema import RequestRow
from sprout_like.record import RequestRecord


class Sheet:
    """What a ledger says."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def store(self, *rows: RequestRecord) -> None:
        with self.engine.begin() as connection:
            insert_requests(connection, rows)

    def facts(self, **span: datetime | None) -> list[Any]:
        """The lines that reports get, in order."""
        with self.engine.connect() as connection:
            return _in_order(connection.execute(select(facts(self.engine, **span))).all())

    def days(self, **span: datetime | None) -> list[int]:
        """Requests of each line, by time, where a line may stand for a day."""
        found = daily_facts(self.engine, **span)
        with self.engine.connect() as connection:
            return list(connection.scalars(select(found.c.requests_n).order_by(found.c.hour_utc)))

    def rows(self, since_utc: datetime | None = None, until_utc: datetime | None = None) -> list[Any]:
        """The same from the rows alone."""
        query = live(self.engine.dialect.name)
        if since_utc is not None:
            query = query.where(RequestRow.started_utc >= since_utc)
        if until_utc is not None:
            query = query.where(RequestRow.started_utc < until_utc)
        with self.engine.connect() as connection:
            return _in_order(connection.execute(query).all())

    def requests_n(self) -> int:
        """How many requests reports see."""
        return sum(line.requests_n for line in self.facts())


def _in_order(lines: Sequence[Any]) -> list[Any]:
    return sorted(lines, key=lambda line: str(line[:22]))


@pytest.fixture
def sheet(engine: Engine) -> Sheet:
    return Sheet(engine)


@pytest.fixture
def sheet_of() -> type[Sheet]:
    return Sheet
