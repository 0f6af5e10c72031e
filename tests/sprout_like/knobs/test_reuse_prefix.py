"""Going on from a kept beginning gives the tokens that computing all of the prompt gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from directives import CatalogueError, Depth, Directive, Draft, EarlyExit, Lookup, Reuse
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.reuse.prefixes import PrefixCache
from tests.sprout_like.knobs.reusing import FAMILIES, Stream, asked, engine_of, prompts, served
from tests.sprout_like.shown import shown

pytestmark = pytest.mark.model

ANSWERS = Directive(name="answers", reuse=Reuse(answers=True))
PREFIX = Directive(name="prefix", reuse=Reuse(prefix=True))
BOTH = Directive(name="both", reuse=Reuse(answers=True, prefix=True))


@pytest.fixture
def engine(make_tiny: Callable[..., Any], tokenizer: Any) -> HuggingFaceEngine:
    return engine_of(make_tiny("llama"), tokenizer)


@pytest.mark.parametrize("family", FAMILIES)
def test_going_on_from_a_kept_beginning_gives_the_same_tokens(family: str, make_tiny: Callable[..., Any]) -> None:
    model = make_tiny(family, **({"sliding_window": None} if family == "mistral" else {}))
    engine = engine_of(model)
    reused = []
    for prompt in prompts(20):
        call = asked(engine, prompt)
        generation = served(engine, PREFIX, call)
        assert torch.equal(generation.output, model.generate(**call.kwargs))
        reused.append(generation.reused_tokens)
    assert reused == [0, 0, *[100] * 18]  # the second prompt shows what they share


@pytest.mark.parametrize(
    "form",
    [
        {"do_sample": True, "temperature": 3.0},
        {"num_beams": 1, "repetition_penalty": 1.3},
        {"return_dict_in_generate": True, "output_scores": True},
        {"streamer": Stream()},
    ],
    ids=shown,
)
@pytest.mark.filterwarnings("ignore")
def test_with_every_form_of_a_call_for_one_answer(engine: HuggingFaceEngine, form: dict[str, Any]) -> None:
    for prompt in prompts(5):
        call = asked(engine, prompt, **form)
        torch.manual_seed(3)
        wanted = call.host.model().generate(**call.kwargs)
        torch.manual_seed(3)
        generation = served(engine, PREFIX, call)
        assert torch.equal(
            getattr(generation.output, "sequences", generation.output), getattr(wanted, "sequences", wanted)
        )
    assert generation.reused_tokens == 100


def test_a_system_turn_is_kept_from_the_first_request_on(engine: HuggingFaceEngine) -> None:
    system = {"role": "system", "content": "Speak of the sea, and of nothing but the sea. " * 8}
    reused = []
    for question in ("Why?", "How many?"):
        call = engine.inspect(
            (), {"do_sample": False, "max_new_tokens": 9}, messages=[system, {"role": "user", "content": question}]
        )
        generation = served(engine, PREFIX, call)
        assert torch.equal(generation.output, call.host.model().generate(**call.kwargs))
        reused.append(generation.reused_tokens)
    assert reused[0] == 0
    end = call.host.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert call.prompt_ids[0, reused[1] - 1] == end


@pytest.mark.parametrize("depth", [Depth(first=2), Depth(drop=(1, 3))], ids=shown)
def test_views_of_other_depths_keep_beginnings_of_their_own(engine: HuggingFaceEngine, depth: Depth) -> None:
    shallow = Directive(name="shallow", early_exit=EarlyExit(depth=depth))
    kept = Directive(name="kept", early_exit=EarlyExit(depth=depth), reuse=Reuse(prefix=True))
    for prompt in prompts(4):
        call = asked(engine, prompt)
        wanted = {directive: served(engine, directive, call).output for directive in (shallow,)}
        generation = served(engine, kept, call)
        assert torch.equal(generation.output, wanted[shallow])
        assert torch.equal(served(engine, PREFIX, call).output, call.host.model().generate(**call.kwargs))
    assert generation.reused_tokens == 100


def test_changed_weights_compute_it_anew(engine: HuggingFaceEngine) -> None:
    reused = []
    for number, prompt in enumerate(prompts(6)):
        call = asked(engine, prompt)
        if number == 3:
            with torch.no_grad():
                call.host.model().model.layers[0].self_attn.v_proj.weight.mul_(-1)
        generation = served(engine, PREFIX, call)
        assert torch.equal(generation.output, call.host.model().generate(**call.kwargs))
        reused.append(generation.reused_tokens)
    assert reused == [0, 0, 100, 0, 100, 100]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"num_beams": 2}, "num_beams"),
        ({"do_sample": True, "num_return_sequences": 2}, "num_return_sequences"),
        ({"use_cache": False}, "use_cache"),
        ({"cache_implementation": "static"}, "cache_implementation"),
        ({"prefill_chunk_size": 8}, "prefill_chunk_size"),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens"),
        ({"assistant_model": object()}, "assistant_model"),
        ({"past_key_values": DynamicCache()}, "past_key_values"),
        ({"attention_mask": torch.tensor([[0] * 5 + [1] * 100])}, "without padding"),
        ({"input_ids": torch.ones(2, 9, dtype=torch.long) * 5, "attention_mask": None}, "one prompt"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_calls_that_cannot_go_on_from_a_beginning_are_refused(
    engine: HuggingFaceEngine, change: dict[str, Any], why: str
) -> None:
    call = asked(engine, prompts(1)[0], **change)
    assert why in str(engine.refusal(PREFIX, call))


def test_models_that_forget_are_misfits(make_tiny: Callable[..., Any]) -> None:
    engine = engine_of(make_tiny("mistral", sliding_window=16))
    assert str(engine.misfit(PREFIX)).startswith("reuse.prefix: ")
    assert engine.misfit(ANSWERS) is None
    assert engine.refusal(PREFIX, asked(engine, prompts(1)[0])) is not None


def test_memory_that_runs_out_over_a_beginning_costs_no_answer(make_tiny: Callable[..., Any]) -> None:
    model = make_tiny("llama")
    engine = engine_of(model)
    calls = [asked(engine, prompt) for prompt in prompts(4)]
    wanted = [model.generate(**call.kwargs) for call in calls]

    class Short(type(model)):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            if kwargs["input_ids"].shape[1] == 100:
                raise torch.OutOfMemoryError
            return super().forward(*args, **kwargs)

    model.__class__ = Short
    for call, output in zip(calls, wanted, strict=True):
        generation = served(engine, PREFIX, call)
        assert generation.reused_tokens == 0
        assert torch.equal(generation.output, output)


def test_the_model_is_left_as_it_was(engine: HuggingFaceEngine) -> None:
    call = asked(engine, prompts(1)[0])
    model = call.host.model()
    before = {name: each.data_ptr() for name, each in model.state_dict().items()}
    config, own, kwargs = model.config.to_dict(), model.generation_config.to_dict(), dict(call.kwargs)
    for prompt in prompts(3):
        served(engine, BOTH, asked(engine, prompt))
    served(engine, BOTH, call)
    assert before == {name: each.data_ptr() for name, each in model.state_dict().items()}
    assert (model.config.to_dict(), model.generation_config.to_dict()) == (config, own)
    assert all(call.kwargs[name] is value for name, value in kwargs.items())


def test_drafts_and_beginnings_are_refused_as_data() -> None:
    with pytest.raises(CatalogueError, match=r"reuse\.prefix and draft"):
        Directive(name="both", draft=Draft(lookup=Lookup()), reuse=Reuse(prefix=True))


def test_closing_gives_back_the_memory_of_kept_beginnings(make_tiny: Callable[..., Any]) -> None:
    model, prefixes = make_tiny("llama"), PrefixCache(most_bytes=10**8)
    engine = HuggingFaceEngine(model, None, prefixes=prefixes)
    first, second = prompts(2)
    for ids in (first, second):
        served(engine, PREFIX, asked(engine, ids))
    state = engine._reuse._weights.of(model)
    row = second[0].tolist()
    assert prefixes.find(model, state, None, row) is not None
    engine.close()
    assert prefixes.find(model, state, None, row) is None
