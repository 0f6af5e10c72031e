"""What wrappers and views share, and what is left when they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine
from tests.sprout_like.middleware.bench import WATTS, Bench


def test_two_wrappers_on_one_ledger_share_its_energy_accounts() -> None:
    clock, ledger = ManualClock(), MemoryLedger()
    meter = FakeMeter(clock=clock, watts=WATTS)
    one, two = (
        CarbonAware(
            None,
            engine=NullEngine(on_run=lambda: clock.advance(1.0)),
            clock=clock,
            grid=100,
            ledger=ledger,
            meter=meter,
        )
        for _ in range(2)
    )
    one.generate()
    two.generate()
    one.close()
    two.close()
    assert sum(a.requests_j for a in ledger.accounts) == pytest.approx(2 * WATTS)
    assert sum(a.requests_n for a in ledger.accounts) == 2
    assert sum(a.counter_j for a in ledger.accounts) == pytest.approx(2 * WATTS)
    assert all(a.elsewhere_j == 0 for a in ledger.accounts)


def test_a_view_closes_nothing_that_it_shares(bench: Callable[..., Bench]) -> None:
    b = bench()
    with b.aware.using(task="x") as view:
        view.generate()
    assert not b.ledger.accounts
    b.aware.generate()
    assert len(b.ledger.requests) == 2


def test_a_failed_generation_is_not_kept_alive(bench: Callable[..., Bench]) -> None:
    import gc
    import weakref

    class Memory:
        pass

    freed = []

    class Failing(NullEngine):
        def run(self, *_: Any) -> Any:
            memory = Memory()
            freed.append(weakref.ref(memory))
            raise ValueError

    b = bench(engine=Failing())
    gc.disable()
    try:
        with pytest.raises(ValueError):
            b.aware.generate()
        assert freed[0]() is None
    finally:
        gc.enable()


def test_close_twice_is_harmless(bench: Callable[..., Bench]) -> None:
    b = bench()
    b.aware.generate()
    b.aware.close()
    b.aware.close()
    assert len(b.ledger.requests) == 1


def test_a_wrapper_that_is_forgotten_still_writes_its_account() -> None:
    import gc

    clock, ledger = ManualClock(), MemoryLedger()
    aware = CarbonAware(
        None, engine=NullEngine(), clock=clock, grid=100, ledger=ledger, meter=FakeMeter(clock=clock, watts=WATTS)
    )
    aware.generate()
    clock.advance(5)
    del aware
    gc.collect()
    assert ledger.accounts
