"""What loading a variant leaves in the ledger: its energy is overhead, its time the loading request's alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger

pytestmark = pytest.mark.model

WATTS = 50.0
LOAD_S = 4.0


class Loader:
    """Loads a model in four seconds, or fails as long as it is told to."""

    def __init__(self, clock: ManualClock, make: Callable[[], Any], tokenizer: Any) -> None:
        self.broken = False
        self._clock = clock
        self._make = make
        self._tokenizer = tokenizer

    def __call__(self) -> tuple[Any, Any]:
        self._clock.advance(LOAD_S)
        if self.broken:
            raise OSError("the disk is gone")
        return self._make(), self._tokenizer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def loader(clock: ManualClock, make_tiny_model: Callable[[], Any], tokenizer: Any) -> Loader:
    return Loader(clock, make_tiny_model, tokenizer)


@pytest.fixture
def aware(
    tiny_model: Any,
    tokenizer: Any,
    clock: ManualClock,
    ledger: MemoryLedger,
    loader: Loader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CarbonAware]:
    file = tmp_path / "mine.toml"
    file.write_text('[directive.small]\nvariant = "sibling"\n')
    monkeypatch.setenv("SPROUT_CATALOGUE", str(file))
    with CarbonAware(
        tiny_model,
        tokenizer,
        grid=150,
        ledger=ledger,
        meter=FakeMeter(clock=clock, watts=WATTS),
        policy="small",
        variants={"sibling": loader},
        clock=clock,
    ) as aware:
        yield aware


def evict(aware: CarbonAware, clock: ManualClock) -> None:
    clock.advance(601)
    aware._parts.engine.tick()


def test_loading_is_overhead_and_the_loading_requests_time(
    aware: CarbonAware, clock: ManualClock, ledger: MemoryLedger
) -> None:
    first = aware.chat("Why?", max_new_tokens=5, do_sample=False)
    evict(aware, clock)
    ledger.accounts.clear()
    again = [aware.chat("Why?", max_new_tokens=5, do_sample=False) for _ in range(2)]
    assert {reply.text for reply in again} == {first.text}
    assert [row.variant for row in ledger.requests] == ["sibling"] * 3
    assert [row.prepare_s for row in ledger.requests] == [0.0, LOAD_S, 0.0]
    assert [row.energy_j for row in ledger.requests] == [0.0] * 3  # the clock stood still while they ran
    aware.close()
    assert sum(account.overhead_j or 0.0 for account in ledger.accounts) == pytest.approx(LOAD_S * WATTS)


def test_a_variant_that_cannot_be_loaded_is_answered_by_the_model_and_then_not_offered_for_a_while(
    aware: CarbonAware, clock: ManualClock, ledger: MemoryLedger, loader: Loader
) -> None:
    evict(aware, clock)
    loader.broken = True
    for _ in range(2):
        aware.chat("Why?", max_new_tokens=5)
    failed, later = ledger.requests
    assert (failed.directive, failed.status, failed.variant, failed.propensity) == ("full", "ok", None, None)
    assert failed.decision_reason == "small could not be applied: VariantUnavailable"
    assert failed.prepare_s == LOAD_S
    assert (later.directive, later.candidates, later.prepare_s) == ("full", "full", 0.0)
    loader.broken = False
    clock.advance(60)
    assert aware.chat("Why?", max_new_tokens=5).record.variant == "sibling"
