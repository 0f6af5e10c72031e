"""What every ledger promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from grid.testing import reading
from sprout_like.ledger import Ledger, open_engine, open_ledger
from sprout_like.ledger.schema import AccountRow, IntensityRow, RequestRow
from sprout_like.ledger.testing import MemoryLedger, sample_account, sample_request
from sprout_like.record import IntensityRecord


@dataclass
class Case:
    ledger: Ledger
    requests: Callable[[], list[str]]
    """Ids of the stored requests, by time."""
    accounts: Callable[[], list[str]]
    intensities: Callable[[], list[float]]
    """Figures of the stored readings."""


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Case(
            memory,
            lambda: [row.request_id for row in memory.requests],
            lambda: [row.account_id for row in memory.accounts],
            lambda: [row.g_per_kwh for row in memory.intensities],
        )
        return
    spec = tmp_path / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    engine = open_engine(spec)

    def read(statement: object) -> list[Any]:
        ledger.flush()
        with engine.connect() as connection:
            return list(connection.scalars(statement))

    yield Case(
        ledger,
        lambda: read(select(RequestRow.request_id).order_by(RequestRow.started_utc)),
        lambda: read(select(AccountRow.account_id)),
        lambda: read(select(IntensityRow.g_per_kwh).order_by(IntensityRow.g_per_kwh)),
    )
    ledger.close()
    engine.dispose()


def test_keeps_every_row(case: Case) -> None:
    for number in range(3):
        case.ledger.append(sample_request(number))
    case.ledger.append(sample_account())

    assert case.requests() == [sample_request(number).request_id for number in range(3)]
    assert case.accounts() == [sample_account().account_id]


def test_keeps_a_row_once_and_as_it_was_first(case: Case) -> None:
    case.ledger.append(sample_request(1))
    case.ledger.append(sample_account())
    case.ledger.append(sample_request(1, directive="full"))
    case.ledger.append(sample_account())

    assert case.requests() == [sample_request(1).request_id]
    assert case.accounts() == [sample_account().account_id]


def test_one_period_on_two_devices_is_two_accounts(case: Case) -> None:
    case.ledger.append(sample_account(device_id="GPU-0"))
    case.ledger.append(sample_account(device_id="GPU-1"))

    assert len(case.accounts()) == 2


def test_keeps_a_reading_of_each_status_once_and_as_it_was_first(case: Case) -> None:
    for g_per_kwh, status in (
        (100, "forecast"),
        (110, "forecast"),
        (120, "estimated"),
        (130, "actual"),
        (140, "actual"),
    ):
        case.ledger.append(IntensityRecord.of(reading(g_per_kwh, status=status)))

    assert case.intensities() == [100, 120, 130]


def test_flush_leaves_nothing_waiting(case: Case) -> None:
    case.ledger.append(sample_request())

    assert case.ledger.flush() == 0
    assert case.ledger.flush() == 0


def test_ticks_at_any_time(case: Case) -> None:
    case.ledger.tick()
    case.ledger.append(sample_request())
    case.ledger.tick()
    case.ledger.tick()

    assert len(case.requests()) == 1


def test_takes_rows_from_many_threads(case: Case) -> None:
    def work(thread: int) -> None:
        for number in range(20):
            case.ledger.append(sample_request(1000 * thread + number))
            if number % 5 == 0:
                case.ledger.tick()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))

    expected = {sample_request(1000 * thread + number).request_id for thread in range(16) for number in range(20)}
    stored = case.requests()
    assert len(stored) == len(expected)
    assert set(stored) == expected


def test_closes_twice(case: Case) -> None:
    case.ledger.append(sample_request())
    case.ledger.close()
    case.ledger.close()

    case.ledger.tick()
    assert case.ledger.flush() == 0
