"""`CarbonAware(engine="continuous")`: many threads, one batch, energy that adds up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LogitsProcessorList

from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.clock import SystemClock
from sprout_like.ledger import open_engine
from sprout_like.ledger.check import check
from sprout_like.meters.testing import FakeMeter
from sprout_like.testing import MemoryLedger

pytestmark = pytest.mark.model

THREADS = 8
WAIT_S = 60.0
CATALOGUE = """
[directive.short]
instruction = "Always answer briefly."
budget = { max_new_tokens = 7, soft_tokens = 4 }
"""


@pytest.fixture(scope="module")
def model(make_tiny: Any) -> Any:
    return make_tiny("llama")


@pytest.fixture
def opened(model: Any, tokenizer: Any, tmp_path: Path) -> Callable[..., CarbonAware]:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE)
    settings = Settings.load(catalogue=catalogue, control_share=0)

    def open_aware(**options: Any) -> CarbonAware:
        parts = {"grid": 150, "policy": "full", "meter": "none", "ledger": MemoryLedger(), "settings": settings}
        return CarbonAware(model, tokenizer, engine="continuous", **{**parts, **options})

    return open_aware


def test_what_is_counted_is_shared_out_among_many_threads(
    model: Any, opened: Callable[..., CarbonAware], mixed_calls: Any, tmp_path: Path
) -> None:
    ledger = str(tmp_path / "ledger.sqlite")
    calls = mixed_calls(model, 3 * THREADS)
    for call in calls[::6]:
        call["num_beams"] = 2
    bare = [model.generate(**call).tolist() for call in calls]
    meter = FakeMeter(clock=SystemClock(), watts=20.0)  # type: ignore[arg-type]
    with opened(ledger=ledger, meter=meter) as aware, ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda call: aware.generate(**call).tolist(), calls))
        records = [reply.record for reply in pool.map(lambda _: aware.using(policy="short").chat("Why?"), range(8))]
    assert together == bare
    assert {record.directive for record in records} == {"short"}
    assert {record.engine for record in records} == {"continuous"}
    assert {record.knob_counts["batched"] for record in records} == {1.0}
    assert max(record.new_tokens for record in records) <= 7
    engine = open_engine(ledger)
    report = check(engine)
    engine.dispose()
    assert report.ok


def test_who_runs_alone_is_measured_and_who_shares_is_apportioned(opened: Callable[..., CarbonAware]) -> None:
    ledger, inside = MemoryLedger(), threading.Barrier(2, timeout=WAIT_S)
    ids = torch.arange(3, 9)[None]
    with opened(ledger=ledger, meter=FakeMeter(clock=SystemClock(), watts=20.0)) as aware:  # type: ignore[arg-type]
        aware.generate(ids, max_new_tokens=4, num_beams=2)
        with ThreadPoolExecutor(2) as pool:

            def call(_: int) -> None:
                inside.wait()
                aware.generate(ids, max_new_tokens=200, eos_token_id=None)

            list(pool.map(call, range(2)))
    alone, *together = ledger.requests
    assert (alone.knob_counts["batched"], alone.energy_method) == (0.0, "measured")
    assert {(row.knob_counts["batched"], row.energy_method) for row in together} == {(1.0, "apportioned")}


def test_a_call_from_within_another_is_answered(model: Any, opened: Callable[..., CarbonAware]) -> None:
    ids = torch.arange(3, 9)[None]
    bare = model.generate(ids, max_new_tokens=4).tolist()
    inner: list[Any] = []
    with opened() as aware:

        def asking(_: Any, scores: Any) -> Any:
            if not inner:
                inner.append(aware.generate(ids, max_new_tokens=4).tolist())
            return scores

        outer = aware.generate(ids, max_new_tokens=4, logits_processor=LogitsProcessorList([asking])).tolist()
    assert inner == [bare]
    assert outer == bare


def test_a_wrapper_of_the_plain_engine_takes_turns_with_the_batch(
    model: Any, tokenizer: Any, opened: Callable[..., CarbonAware], mixed_calls: Any
) -> None:
    calls = mixed_calls(model, 2 * THREADS)
    bare = [model.generate(**call).tolist() for call in calls]
    other = CarbonAware(model, tokenizer, grid=150, policy="full", meter="none", ledger=MemoryLedger())
    with opened() as aware, other, ThreadPoolExecutor(THREADS) as pool:
        wrappers = [aware, other] * THREADS
        served = list(pool.map(lambda wrapper, call: wrapper.generate(**call).tolist(), wrappers, calls))
    assert served == bare


def test_an_error_of_one_caller_is_its_own(opened: Callable[..., CarbonAware]) -> None:
    ledger, ids = MemoryLedger(), torch.arange(3, 9)[None]
    with opened(ledger=ledger) as aware, ThreadPoolExecutor(THREADS) as pool:
        good = [pool.submit(aware.generate, ids, max_new_tokens=30) for _ in range(6)]
        bad = [pool.submit(aware.generate, ids, max_new_tokens=30, no_such_thing=1) for _ in range(2)]
        assert len({str(each.result(WAIT_S).tolist()) for each in good}) == 1
        for each in bad:
            with pytest.raises(ValueError, match="no_such_thing"):
                each.result(WAIT_S)
    assert sorted(row.status for row in ledger.requests) == ["error"] * 2 + ["ok"] * 6


def test_the_names_of_engines(tiny_model: Any) -> None:
    with pytest.raises(SettingError, match=r'Use "transformers", "continuous", or an'):
        CarbonAware(tiny_model, engine="batched", grid=150, meter="none", ledger=MemoryLedger())
    tiny_model.set_attn_implementation("eager")
    with pytest.raises(SettingError, match="attention is eager"):
        CarbonAware(tiny_model, engine="continuous", grid=150, meter="none", ledger=MemoryLedger())
