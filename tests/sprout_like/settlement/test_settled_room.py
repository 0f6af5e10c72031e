"""Settled requests take hardly more room than they did before, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text

from sprout_like.ledger.check import check
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema_requests import SettlementRow
from sprout_like.ledger.settlements import Settlements
from sprout_like.settlement.settle import settle


def ticking(start_utc: datetime) -> Iterator[datetime]:
    return (start_utc + timedelta(microseconds=number) for number in count())


def test_a_run_stores_what_it_settled_by_once_however_long_it_takes(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    moments = ticking(ledger.clock())
    ledger.write([new_request(number, started_utc=new_reading(1).start_utc) for number in range(10)])

    settle(ledger.store, new_source(new_reading(150)), now_utc=lambda: next(moments))

    with ledger.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(SettlementRow)) == 1
    assert ledger.settled() == [(150, "actual")] * 10


on_postgresql = pytest.mark.parametrize(
    "ledger", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def sizes(engine: Engine) -> tuple[int, int]:
    """Bytes of the requests' own rows, and of the indexes on them."""
    query = text("SELECT pg_relation_size('request_rows'), pg_indexes_size('request_rows')")
    with engine.connect() as connection:
        rows, indexes = connection.execute(query).one()
    return rows, indexes


@on_postgresql
def test_neither_rows_nor_indexes_double(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    engine, store = ledger.engine, Settlements(ledger.engine)
    with engine.begin() as connection:
        insert_requests(
            connection, (new_request(number, started_utc=new_reading(1).start_utc) for number in range(4000))
        )
    store.keep([new_reading(150)])
    rows, indexes = sizes(engine)

    assert settle(store, new_source(), now_utc=ledger.clock).changed == 4000

    settled_rows, settled_indexes = sizes(engine)
    assert settled_rows < 1.25 * rows
    assert settled_indexes < 1.25 * indexes


@on_postgresql
def test_a_page_that_is_cut_short_is_taken_up_by_the_next_run(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    """A page is written in several transactions."""
    commits = count(1)
    ledger.write([new_request(number, started_utc=new_reading(1).start_utc) for number in range(40)])
    store, source = Settlements(ledger.engine), new_source()
    store.keep([new_reading(150)])

    def die(_connection: Any) -> None:
        if next(commits) == 3:
            raise KeyboardInterrupt

    event.listen(ledger.engine, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        settle(store, source, now_utc=ledger.clock)
    event.remove(ledger.engine, "commit", die)
    settled_n = sum(status is not None for _, status in ledger.settled())
    assert 0 < settled_n < 40

    (group,) = settle(store, source, now_utc=ledger.clock).groups

    assert (group.unchanged, group.settled) == (settled_n, 40 - settled_n)
    assert ledger.settled() == [(150, "actual")] * 40
    assert check(ledger.engine).findings == ()
