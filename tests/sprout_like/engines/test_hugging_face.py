"""The engine under `full`: exactly what `model.generate` does, whatever the form of the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList, T5Config, T5ForConditionalGeneration

from directives import FULL
from sprout_like.engines.engine import Call, Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import SettingError

pytestmark = pytest.mark.model

PROMPT = torch.tensor([[1, 5, 9, 14], [2, 2, 30, 31]])
MASK = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])


class Window:
    def __init__(self) -> None:
        self.events: list[str] = []

    def pause(self) -> None:
        self.events.append("pause")

    def resume(self) -> None:
        self.events.append("resume")


def run(engine: HuggingFaceEngine, *args: Any, **kwargs: Any) -> tuple[Call, Generation]:
    call = engine.inspect(args, kwargs)
    return call, engine.run(engine.plan(FULL, call), call, Window())


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    return type(one) is type(other) and one.keys() == other.keys() and torch.equal(one.sequences, other.sequences)


CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "positional": ((PROMPT,), {"attention_mask": MASK}),
    "inputs": ((), {"inputs": PROMPT, "attention_mask": MASK}),
    "input_ids": ((), {"input_ids": PROMPT, "attention_mask": MASK, "max_new_tokens": 7}),
    "two positional": ((PROMPT, GenerationConfig(max_new_tokens=5)), {"attention_mask": MASK}),
    "dict": ((PROMPT,), {"attention_mask": MASK, "return_dict_in_generate": True, "output_scores": True}),
    "beams": ((PROMPT,), {"attention_mask": MASK, "num_beams": 3, "max_new_tokens": 6}),
    "several": ((PROMPT,), {"attention_mask": MASK, "do_sample": True, "num_return_sequences": 2, "top_p": 0.9}),
    "embeddings": ((), {"inputs_embeds": torch.randn(2, 4, 32, generator=torch.Generator().manual_seed(3))}),
    "nothing": ((), {"max_new_tokens": 4}),
    "prompt lookup": ((PROMPT[:1],), {"attention_mask": MASK[:1], "prompt_lookup_num_tokens": 2, "max_new_tokens": 8}),
}


@pytest.mark.filterwarnings("ignore:Using the model-agnostic default")
@pytest.mark.parametrize("form", CALLS)
def test_the_same_as_the_models_own_generate(tiny_model: Any, form: str) -> None:
    args, kwargs = CALLS[form]
    torch.manual_seed(11)
    bare = tiny_model.generate(*args, **kwargs)
    torch.manual_seed(11)
    call, generation = run(HuggingFaceEngine(tiny_model, None), *args, **kwargs)
    assert same(generation.output, bare)
    sequences = getattr(bare, "sequences", bare)
    assert generation.answers is not None
    assert len(generation.answers) == sequences.shape[0]
    width = sequences.shape[1] - (call.prompt_length or 0)
    assert all(len(answer) <= width for answer in generation.answers)
    assert generation.new_tokens == sum(map(len, generation.answers))


def test_facts_of_a_padded_batch(tiny_model: Any) -> None:
    call = HuggingFaceEngine(tiny_model, None).inspect((PROMPT,), {"attention_mask": MASK, "max_new_tokens": 9})
    facts = (call.batch_size, call.prompt_length, call.prompt_tokens, call.limit_tokens)
    assert facts == (2, 4, 6, 9)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((PROMPT,), {"inputs": PROMPT}), ((PROMPT,) * 20, {}), ((PROMPT,), {"max_new_tokens": -1}), ((), {"tpyo": 1})],
)
def test_a_wrong_call_gets_the_models_own_error(tiny_model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(Exception) as bare:
        tiny_model.generate(*args, **kwargs)
    with pytest.raises(type(bare.value)) as ours:
        run(HuggingFaceEngine(tiny_model, None), *args, **kwargs)
    assert str(ours.value) == str(bare.value)


def test_answers_are_cut_at_each_rows_own_end(tiny_model: Any) -> None:
    free = tiny_model.generate(PROMPT, attention_mask=MASK, max_new_tokens=8, do_sample=False, eos_token_id=None)
    end = int(free[0, 6])  # what the first row says third is made the end token
    _, generation = run(
        HuggingFaceEngine(tiny_model, None),
        PROMPT,
        attention_mask=MASK,
        max_new_tokens=8,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end,
    )
    wanted = [row[: row.index(end) + 1] if end in row else row for row in free[:, 4:].tolist()]
    assert [list(a) for a in generation.answers or ()] == wanted
    reasons = {"eos" if row[-1] == end else "length" for row in wanted}
    assert generation.finish_reason == "+".join(sorted(reasons))


def test_a_criterion_of_the_caller_is_told_apart_from_the_limit(tiny_model: Any) -> None:
    class AfterThree(StoppingCriteria):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 7)

    _, generation = run(
        HuggingFaceEngine(tiny_model, None),
        PROMPT,
        attention_mask=MASK,
        max_new_tokens=8,
        eos_token_id=None,
        stopping_criteria=StoppingCriteriaList([AfterThree()]),
    )
    assert (generation.new_tokens, generation.finish_reason) == (6, "stop")


@pytest.mark.parametrize("end", [torch.tensor(2), torch.tensor([2, 7]), [2, 7]], ids=str)
def test_end_tokens_of_any_form_that_generate_takes(tiny_model: Any, end: Any) -> None:
    call, generation = run(
        HuggingFaceEngine(tiny_model, None), PROMPT[:1], attention_mask=MASK[:1], max_new_tokens=4, eos_token_id=end
    )
    assert generation.new_tokens is not None
    assert generation.output.shape[1] > (call.prompt_length or 0)


def test_padding_is_no_token(tiny_model: Any) -> None:
    class FirstRowAfterTwo(StoppingCriteria):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
            return torch.tensor([input_ids.shape[1] >= 6, False])

    padded = torch.tensor([[0, 0, 9, 14], [1, 5, 30, 31]])
    call, generation = run(
        HuggingFaceEngine(tiny_model, None),
        padded,
        max_new_tokens=8,
        pad_token_id=0,
        eos_token_id=49151,
        stopping_criteria=StoppingCriteriaList([FirstRowAfterTwo()]),
        do_sample=False,
    )
    assert call.prompt_tokens == 6
    assert generation.new_tokens == 2 + 8
    assert generation.finish_reason == "length+stop"


def test_an_encoder_decoder_is_served_full_and_counted(tokenizer: Any) -> None:
    config = T5Config(vocab_size=64, d_model=16, d_ff=32, num_layers=1, num_heads=2, d_kv=8, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config).eval()
    engine = HuggingFaceEngine(model, tokenizer)
    call, generation = run(engine, PROMPT, attention_mask=MASK, max_new_tokens=5, eos_token_id=None)
    assert same(generation.output, model.generate(PROMPT, attention_mask=MASK, max_new_tokens=5, eos_token_id=None))
    assert (call.prompt_tokens, generation.new_tokens) == (6, 10)


class Collector:
    def __init__(self, on_end: Callable[[], None] = lambda: None) -> None:
        self.values: list[torch.Tensor] = []
        self.ends = 0
        self._on_end = on_end

    def put(self, value: torch.Tensor) -> None:
        self.values.append(value)

    def end(self) -> None:
        self.ends += 1
        self._on_end()


def test_a_streamer_gets_every_token_at_once_and_the_end_when_released(tiny_model: Any) -> None:
    bare, ours = Collector(), Collector()
    kwargs = {"attention_mask": MASK[:1], "max_new_tokens": 5, "do_sample": False, "eos_token_id": None}
    tiny_model.generate(PROMPT[:1], streamer=bare, **kwargs)
    _, generation = run(HuggingFaceEngine(tiny_model, None), PROMPT[:1], streamer=ours, **kwargs)
    assert len(ours.values) == len(bare.values) == 6
    assert all(torch.equal(a, b) for a, b in zip(ours.values, bare.values, strict=True))
    assert generation.first_token_s is not None
    assert generation.first_token_s > 0
    assert ours.ends == 0
    generation.end_stream()
    generation.end_stream()
    assert ours.ends == 1


def test_compilation_inside_a_call_pauses_the_window(tiny_model: Any) -> None:
    torch._dynamo.reset()
    tiny_model.forward = torch.compile(tiny_model.forward, backend="eager")
    engine = HuggingFaceEngine(tiny_model, None)
    call = engine.inspect((PROMPT,), {"attention_mask": MASK, "max_new_tokens": 3})
    first, second = Window(), Window()
    engine.run(engine.plan(FULL, call), call, first)
    engine.run(engine.plan(FULL, call), call, second)
    assert first.events[:2] == ["pause", "resume"]
    assert len(first.events) % 2 == 0
    assert not second.events


def test_threads_that_compile_at_once_are_all_resumed() -> None:
    from torch._dynamo.callback import CallbackTrigger, callback_handler

    from sprout_like.engines.compiling import watch_compilation

    one, two = Window(), Window()
    with (
        watch_compilation(one.pause, one.resume),
        watch_compilation(two.pause, two.resume),
        # As torch tells it of two threads: the first start, the last end.
        callback_handler.install_callbacks(CallbackTrigger.DYNAMO, "0"),
        callback_handler.install_callbacks(CallbackTrigger.DYNAMO, "1"),
    ):
        assert one.events == two.events == ["pause"]
    assert one.events == two.events == ["pause", "resume"]
    with callback_handler.install_callbacks(CallbackTrigger.DYNAMO, "2"):
        assert one.events == ["pause", "resume"]


def test_a_thing_without_generate_is_refused_at_construction() -> None:
    with pytest.raises(SettingError, match=r"model: a str has no generate\(\)"):
        HuggingFaceEngine("gpt2", None)


def test_names_and_places(tiny_model: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, None)
    assert engine.devices() == ("cpu",)
    assert engine.family == "llama"
    assert engine.model == "LlamaForCausalLM"
