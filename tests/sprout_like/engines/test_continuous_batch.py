"""The batch's life: begun when needed, ended when idle, begun anew after a failure, one caller's trouble its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from sprout_like.engines.continuous.asking import Ask
from sprout_like.engines.continuous.batch import Batch
from sprout_like.engines.continuous.rules import Rules
from sprout_like.errors import BatchFailed
from sprout_like.testing import ManualClock

pytestmark = pytest.mark.model

WAIT_S = 60.0
POISON = 99
ROOT = Path(__file__).parents[3]


class Gate:
    """Before a model's layers: lets steps through when it is open; breaks on a poisoned prompt."""

    def __init__(self, model: Any) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        self._hook = model.register_forward_pre_hook(self._pass, with_kwargs=True)

    def remove(self) -> None:
        self.open.set()
        self._hook.remove()

    def _pass(self, _: Any, args: Any, kwargs: Any) -> None:
        self.reached.set()
        assert self.open.wait(WAIT_S)
        ids = kwargs.get("input_ids", args[0] if args else None)
        if bool((ids == POISON).any()):
            msg = "a step failed"
            raise RuntimeError(msg)


@pytest.fixture(scope="module")
def model(make_tiny: Any) -> Any:
    return make_tiny("llama")


@pytest.fixture
def gate(model: Any) -> Iterator[Gate]:
    gate = Gate(model)
    yield gate
    gate.remove()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def batch(model: Any, clock: ManualClock) -> Iterator[Batch]:
    batch = Batch(model, clock.monotonic_s)
    yield batch
    batch.close()


def ask(*prompt: int, limit: int = 6) -> Ask:
    return Ask(prompt=prompt, limit_tokens=limit)


def answer(model: Any, asked: Ask) -> list[int]:
    ids = torch.tensor([list(asked.prompt)])
    output = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=asked.limit_tokens, eos_token_id=None
    )
    tokens: list[int] = output[0, ids.shape[1] :].tolist()
    return tokens


def test_a_failure_fails_the_open_calls_once_and_the_next_begin_anew(model: Any, gate: Gate, batch: Batch) -> None:
    healthy = ask(5, 6, 7)
    batch.start()
    gate.open.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batch.run, [healthy, ask(8, 9)])
        assert gate.reached.wait(WAIT_S)
        second = pool.submit(batch.run, [ask(POISON, 3)])
        while batch._session is not None and len(batch._session._waiting) < 3:
            threading.Event().wait(0.01)
        gate.open.set()
        for failed in (first, second):
            with pytest.raises(
                BatchFailed, match=r"continuous batching of LlamaForCausalLM: .*a step failed.* begins a new"
            ):
                failed.result(WAIT_S)
    assert batch.run([healthy]) == [answer(model, healthy)]


def test_who_is_interrupted_gives_up_its_own_rows(model: Any, gate: Gate, batch: Batch) -> None:
    other = ask(11, 12, limit=9)
    batch.start()
    gate.open.clear()
    with ThreadPoolExecutor(2) as pool:
        beside = pool.submit(batch.run, [other])
        assert gate.reached.wait(WAIT_S)
        session = batch._session
        assert session is not None

        def interrupt() -> None:
            while len(session._waiting) < 3:
                threading.Event().wait(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            batch.run([ask(5, 6, limit=300), ask(7, 8, limit=300)])
        assert len(session._waiting) == 1
        gate.open.set()
        assert beside.result(WAIT_S) == [answer(model, other)]
    assert not session.is_busy


def test_rules_that_fail_are_one_rows_trouble(model: Any, gate: Gate, batch: Batch) -> None:
    class Failing:
        def __call__(self, input_ids: Any, scores: Any) -> Any:
            msg = f"no rule for {input_ids.shape[1]} tokens"
            raise RuntimeError(msg)

    other = ask(11, 12, limit=9)
    batch.start()
    gate.open.clear()
    with ThreadPoolExecutor(2) as pool:
        beside = pool.submit(batch.run, [other])
        assert gate.reached.wait(WAIT_S)
        failing = pool.submit(batch.run, [Ask(prompt=[5, 6, 7], limit_tokens=50, rules=Rules((Failing(),)))])
        gate.open.set()
        with pytest.raises(RuntimeError, match="no rule for 3 tokens"):
            failing.result(WAIT_S)
        assert beside.result(WAIT_S) == [answer(model, other)]


def test_it_ends_when_idle_and_begins_again(model: Any, batch: Batch, clock: ManualClock) -> None:
    asked = ask(3, 4, 5)
    assert not batch.is_running
    assert batch.run([asked]) == [answer(model, asked)]
    clock.advance(59)
    batch.tick()
    assert batch.is_running
    clock.advance(2)
    batch.tick()
    assert not batch.is_running
    assert not [thread for thread in threading.enumerate() if "generation_loop" in thread.name]
    assert batch.run([asked]) == [answer(model, asked)]


def test_it_does_not_end_under_a_row(model: Any, gate: Gate, batch: Batch, clock: ManualClock) -> None:
    asked = ask(3, 4, 5)
    batch.start()
    gate.open.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(batch.run, [asked])
        assert gate.reached.wait(WAIT_S)
        clock.advance(1000)
        batch.tick()
        gate.open.set()
        assert running.result(WAIT_S) == [answer(model, asked)]


def test_closing_fails_what_is_open(gate: Gate, batch: Batch) -> None:
    batch.start()
    gate.open.clear()
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(batch.run, [ask(5, 6, limit=400)])
        assert gate.reached.wait(WAIT_S)
        closing = pool.submit(batch.close)
        while batch.is_running:
            threading.Event().wait(0.01)
        gate.open.set()
        with pytest.raises(BatchFailed, match=r"it broke off \(it was closed\)"):
            running.result(WAIT_S)
        closing.result(WAIT_S)


def test_a_converted_model_gets_a_new_cache(make_tiny: Any, clock: ManualClock) -> None:
    model, asked = make_tiny("llama"), ask(3, 4, 5)
    batch = Batch(model, clock.monotonic_s)
    batch.run([asked])
    model.double()
    assert batch.run([asked]) == [answer(model, asked)]
    batch.close()


def test_a_row_longer_than_the_room_is_refused_alone(model: Any, batch: Batch) -> None:
    asked = ask(3, 4)
    with pytest.raises(BatchFailed, match="2 tokens and an answer of up to 1000000 need more room than the"):
        batch.run([asked, ask(3, 4, limit=1_000_000)])
    assert batch.run([asked]) == [answer(model, asked)]


def test_the_callers_randomness_is_left_alone(batch: Batch) -> None:
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    batch.run([ask(3, 4)])
    assert torch.equal(torch.rand(3), drawn)


SCRIPT = """
import os, torch
from transformers import LlamaConfig, LlamaForCausalLM
from sprout_like.engines.continuous.asking import Ask
from sprout_like.engines.continuous.batch import Batch

torch.set_num_threads(1)
torch.manual_seed(0)
size = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
model = LlamaForCausalLM(LlamaConfig(vocab_size=64, **size)).eval()
batch = Batch(model, lambda: 0.0)
parents = batch.run([Ask(prompt=[3, 4], limit_tokens=5)])
child = os.fork()
if not child:
    same = batch.run([Ask(prompt=[3, 4], limit_tokens=5)]) == parents
    os._exit(0 if same else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert batch.run([Ask(prompt=[3, 4], limit_tokens=5)]) == parents
"""


def test_a_forked_child_has_its_own_and_a_program_that_forgets_to_close_ends() -> None:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, timeout=WAIT_S * 2, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
