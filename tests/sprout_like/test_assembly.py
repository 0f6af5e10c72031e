"""What the parts do together when nobody looks after them: how they end, and what is charged."""

from __future__ import annotations

import gc
import logging
import threading
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.engines.engine import Plan
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

PATIENCE_S = 10
"""How long a test waits for what does come."""


def wrap(**parts: Any) -> CarbonAware:
    return CarbonAware(
        None, **{"engine": NullEngine(), "grid": 100, "ledger": MemoryLedger(), "meter": "none", **parts}
    )


class Flushed(MemoryLedger):
    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def flush(self) -> int:
        self.flushed.set()
        return super().flush()


def test_the_last_reference_closes_without_a_garbage_collection() -> None:
    ledger = Flushed()
    gc.disable()
    try:
        aware = wrap(ledger=ledger)
        aware.generate()
        del aware
        assert ledger.flushed.is_set()
    finally:
        gc.enable()


def test_a_wrapper_that_is_forgotten_within_a_job_waits_for_no_lock_of_that_job() -> None:
    class Busy(Flushed):
        """Whoever calls `tick` has its lock, and lets go of the last reference."""

        def __init__(self) -> None:
            super().__init__()
            self.last: list[CarbonAware] = []
            self.lock = threading.Lock()
            self.thread: threading.Thread | None = None

        def tick(self) -> None:
            with self.lock:
                self.thread = threading.current_thread()
                self.last.clear()

        def flush(self) -> int:
            with self.lock:
                return super().flush()

    ledger = Busy()
    ledger.last.append(wrap(ledger=ledger))
    assert ledger.flushed.wait(PATIENCE_S)
    assert ledger.thread is not None
    assert not ledger.thread.is_alive()


def test_devices_that_cannot_be_read_are_warned_of_once_each(caplog: pytest.LogCaptureFixture) -> None:
    class Moving(NullEngine):
        """Every other request is for a variant on another device."""

        runs = 0

        def devices(self, plan: Plan | None = None) -> tuple[str, ...]:
            return ("cpu",) if plan is None else (f"GPU-{self.runs % 2}",)

        def run(self, *args: Any) -> Any:
            self.runs += 1
            return super().run(*args)

    clock, ledger = ManualClock(), MemoryLedger()
    meter = FakeMeter(clock=clock, watts=1.0)
    with caplog.at_level(logging.WARNING), wrap(engine=Moving(), meter=meter, clock=clock, ledger=ledger) as aware:
        for _ in range(4):
            aware.generate()
    assert [row.energy_j for row in ledger.requests] == [None] * 4
    unread = [message for message in caplog.messages if "cannot read" in message]
    assert [message.split(",")[0].split()[-1] for message in unread] == ["GPU-0", "GPU-1"]
