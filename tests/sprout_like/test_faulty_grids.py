"""Anybody's own grid source, with bugs, behind a `CarbonAware`: no generation and no exit depends on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from grid import Grid, Intensity, Look
from grid.testing import ManualClock, ScriptedSource
from sprout_like import CarbonAware, grids
from sprout_like.testing import MemoryLedger, NullEngine


def _wrap(grid: Any, ledger: MemoryLedger | None = None) -> CarbonAware:
    return CarbonAware(None, engine=NullEngine(), grid=grid, ledger=ledger or MemoryLedger(), meter="none")


class _Odd(Grid):
    """Cannot be looked at."""

    def prime(self) -> None:
        pass

    def look(self) -> Look:
        raise TypeError("key=SECRET")


def test_a_grid_that_cannot_be_looked_at_costs_the_intensity_alone(caplog: pytest.LogCaptureFixture) -> None:
    ledger = MemoryLedger()
    with _wrap(_Odd(ScriptedSource(250.0), "GB", now_utc=ManualClock()), ledger) as aware:
        aware.generate()
        aware.generate()
    assert [row.intensity_g_per_kwh for row in ledger.requests] == [None, None]
    assert ledger.requests[0].intensity_reason == "the grid could not be looked at: TypeError"
    assert ledger.requests[0].status == "ok"
    assert "SECRET" not in "".join(record.getMessage() for record in caplog.records)


def test_a_reading_that_says_nonsense_of_who_was_passed_over_is_none() -> None:
    class Mine(ScriptedSource):
        def latest(self, zone: str, now_utc: datetime) -> Intensity:
            good = super().latest(zone, now_utc)
            values = {name: getattr(good, name) for name in Intensity.__slots__}
            return Intensity(**{**values, "passed_over": (1, 2)})

    ledger = MemoryLedger()
    with _wrap(Mine(250.0), ledger) as aware:
        aware.generate()
    assert ledger.requests[0].intensity_g_per_kwh is None
    assert "passed_over is (1, 2)" in str(ledger.requests[0].intensity_reason)


class _Closing(ScriptedSource):
    """Does what it is told when it is closed."""

    def __init__(self, close: Callable[[], object]) -> None:
        super().__init__(250.0)
        self._close = close

    def close(self) -> None:
        self._close()


def _fail() -> None:
    raise RuntimeError("key=SECRET")


def test_a_source_that_fails_when_it_is_closed_is_told_of_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    _wrap(_Closing(_fail)).close()
    assert "RuntimeError in test_faulty_grids.py" in caplog.text
    assert "SECRET" not in caplog.text


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_a_source_that_hangs_when_it_is_closed_holds_up_nothing(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(grids, "_CLOSE_WAIT_S", 0.05)
    ledger = MemoryLedger()
    aware = _wrap(_Closing(lambda: gate.wait(60)), ledger)
    aware.generate()
    aware.close()
    assert not gate.is_set()
    assert "grid scripted has not closed within 0.05 s and is left to itself" in caplog.text
