"""From a forecast of the UK's API to its actual, over HTTP: what is logged when served, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from grid import Grid, Source, StaticSource, open_source
from grid.testing import NOON, LoopbackUK, ManualClock, ScriptedSource
from sprout_like.ledger.rows import Record
from sprout_like.ledger.testing import MemoryLedger
from sprout_like.settlement.intensity_log import IntensityLog
from sprout_like.settlement.settle import settle


def truth(start_utc: datetime) -> int:
    return 200 + start_utc.hour


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + timedelta(minutes=5))


@pytest.fixture
def api(clock: ManualClock) -> Iterator[LoopbackUK]:
    with LoopbackUK(now_utc=clock, g_per_kwh=truth) as api:
        yield api


@pytest.fixture
def source(api: LoopbackUK, clock: ManualClock) -> Iterator[Source]:
    source = open_source(f"uk+{api.url}", now_utc=clock)
    yield source
    source.close()


def test_a_forecast_becomes_actual(
    ledger: Any, new_request: Any, source: Source, clock: ManualClock, api: LoopbackUK
) -> None:
    reading = source.latest("GB", clock())
    served = {
        "started_utc": clock(), "intensity_g_per_kwh": reading.g_per_kwh, "intensity_status": reading.status,
        "intensity_source": reading.source, "intensity_kind": reading.kind, "intensity_factors": reading.factors,
    }  # fmt: skip
    ledger.write([new_request(0, **served)])

    too_early = settle(ledger.store, source, now_utc=clock)
    clock.advance(1800)
    in_time = settle(ledger.store, source, now_utc=clock)
    questions = len(api.asked)
    again = settle(ledger.store, source, now_utc=clock)

    (row,) = ledger.rows()
    assert (too_early.changed, in_time.changed, again.changed) == (0, 1, 0)
    assert len(api.asked) == questions
    assert (row.intensity_g_per_kwh, row.intensity_status) == (truth(NOON) + 10, "forecast")
    assert (row.settled_g_per_kwh, row.settled_status, row.settled_source) == (truth(NOON), "actual", source.name)


def test_the_readings_of_the_grid_are_logged_each_once(source: Source, clock: ManualClock, api: LoopbackUK) -> None:
    grid, ledger = Grid(source, "GB", now_utc=clock), MemoryLedger()
    log = IntensityLog(grid, ledger)
    log.tick()
    assert ledger.intensities == []

    for seconds in (0, 60, 1800, 60):
        clock.advance(seconds)
        grid.refresh()
        log.tick()
        log.tick()

    assert [(row.start_utc, row.status, row.g_per_kwh) for row in ledger.intensities] == [
        (NOON, "forecast", truth(NOON) + 10),
        (NOON + timedelta(minutes=30), "forecast", truth(NOON) + 10),
    ]


class CountingLedger(MemoryLedger):
    """Counts what is appended, what it has already included."""

    def __init__(self) -> None:
        super().__init__()
        self.appended = 0

    def append(self, record: Record) -> None:
        self.appended += 1
        super().append(record)


@pytest.mark.parametrize(("source", "appended"), [(ScriptedSource(150.0), 1), (StaticSource(250.0), 0)])
def test_a_held_reading_is_not_logged_again_and_a_static_one_never(source: Source, appended: int) -> None:
    clock, ledger = ManualClock(), CountingLedger()
    grid = Grid(source, "GB", now_utc=clock)
    grid.refresh()
    log = IntensityLog(grid, ledger)
    for _ in range(4):
        log.tick()
        clock.advance(1000)

    assert ledger.appended == appended
