"""What is loaded and warmed up before a request: whose energy it is, and that it is still there when it is needed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.engines.engine import Plan
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

WATTS = 50.0
WAIT_S, LOAD_S, WARM_S = 5.0, 4.0, 2.0


class Model:
    """Can be told from others, and referred to weakly."""


class Loading(NullEngine):
    """Needs one model, which it waits for and loads; keeps it only weakly, as it may be evicted at any time."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.kept: Model | None = None
        self.warmed: list[int] = []
        self.missing_at_plan = 0
        self._clock = clock
        self._living: Callable[[], Model | None] = lambda: None

    def ready(self, directive: Any) -> Any:
        return self._handed_out(self.kept)

    def make_ready(self, directive: Any, overhead: Any) -> Any:
        self._clock.advance(WAIT_S)
        with overhead():
            self._clock.advance(LOAD_S)
            self.kept = Model()
        return self._handed_out(self.kept)

    def plan(self, directive: Any, call: Any) -> Plan:
        self.kept = self._living()
        self.missing_at_plan += self.kept is None
        return Plan(models=(self.kept,))

    def warm_up(self, plan: Any, call: Any) -> None:
        self._clock.advance(WARM_S)
        self.warmed.append(len(plan.models))

    def _handed_out(self, model: Model | None) -> Model | None:
        """Evicted at once: from here on, only who it is handed to keeps it."""
        self.kept = None
        if model is not None:
            self._living = weakref.ref(model)
        return model


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Loading:
    return Loading(clock)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def aware(engine: Loading, clock: ManualClock, ledger: MemoryLedger) -> CarbonAware:
    meter = FakeMeter(clock=clock, watts=WATTS)
    return CarbonAware(None, engine=engine, clock=clock, meter=meter, ledger=ledger, grid=250.0, policy="brief")


def test_loading_is_overhead_and_waiting_for_it_is_not(aware: CarbonAware, ledger: MemoryLedger) -> None:
    with aware:
        aware.generate()
    assert ledger.requests[0].prepare_s == WAIT_S + LOAD_S
    (account,) = ledger.accounts
    assert account.overhead_j == pytest.approx((LOAD_S + WARM_S) * WATTS)


def test_what_is_ready_stays_until_the_plan_is_made(aware: CarbonAware, engine: Loading, ledger: MemoryLedger) -> None:
    with aware:
        for _ in range(3):
            aware.generate()
    assert engine.missing_at_plan == 0
    assert [row.prepare_s for row in ledger.requests] == [WAIT_S + LOAD_S, 0.0, 0.0]


def test_a_model_that_was_loaded_again_is_warmed_up_again(aware: CarbonAware, engine: Loading) -> None:
    with aware:
        aware.generate()
        aware.generate()
        assert engine.warmed == [1]
        engine.kept = None
        aware.generate()
    assert engine.warmed == [1, 1]
