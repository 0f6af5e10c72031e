"""What a draft could change, or cannot do, is refused; what never fits is said from the config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteriaList,
)

from directives import Directive, Draft
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.variants.pool import VariantPool
from sprout_like.knobs.draft import DraftKnob
from tests.sprout_like.knobs.draft.drafting import ASSISTED, LOOKUP, SHALLOW, engine_of, greedy, prompt, run, trained

pytestmark = pytest.mark.model


class Criterion:
    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.zeros(1, dtype=torch.bool)


class Processor:
    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"input_ids": torch.ones(2, 5, dtype=torch.long), "attention_mask": None}, "one prompt"),
        ({"num_return_sequences": 2, "do_sample": True}, "num_return_sequences"),
        ({"num_beams": 2}, "num_beams"),
        ({"logits_processor": LogitsProcessorList([Processor()])}, "logits_processor"),
        ({"stopping_criteria": StoppingCriteriaList([Criterion()])}, "stopping_criteria"),
        ({"prefix_allowed_tokens_fn": lambda _row, _ids: [1]}, "prefix_allowed_tokens_fn"),
        ({"stop_strings": ["x"]}, "stop_strings"),
        ({"max_time": 9.0}, "max_time"),
        ({"generation_config": GenerationConfig(max_time=9.0)}, "max_time"),
        ({"assistant_model": object()}, "assistant_model"),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens"),
        ({"assistant_early_exit": 2}, "assistant_early_exit"),
        ({"penalty_alpha": 0.6, "top_k": 4}, "penalty_alpha"),
        ({"use_cache": False}, "use_cache=False"),
        ({"cache_implementation": "static"}, "cache_implementation='static'"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"output_hidden_states": True}, "output_hidden_states"),
        ({"input_ids": None, "inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_call_whose_answer_could_change_is_refused(
    make: Callable[..., Any], directive: Directive, change: dict[str, Any], why: str
) -> None:
    engine = engine_of(make("llama"))
    assert why in str(engine.refusal(directive, engine.inspect((), {**greedy(prompt()), **change})))


def test_a_model_default_that_drafts_is_the_callers_own(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = engine_of(model)
    model.generation_config.prompt_lookup_num_tokens = 3
    assert "prompt_lookup_num_tokens" in str(engine.refusal(LOOKUP, engine.inspect((), greedy(prompt()))))


def test_a_draft_does_not_reach_beyond_the_last_position(make: Callable[..., Any]) -> None:
    model = make("gpt2", n_positions=64)
    engine = engine_of(model)
    ids = prompt()
    fits, close = greedy(ids, max_new_tokens=31), greedy(ids, max_new_tokens=32)
    assert torch.equal(run(engine, LOOKUP, fits).output, model.generate(**fits))
    assert "last position" in str(engine.refusal(LOOKUP, engine.inspect((), close)))
    told = Directive(name="told", draft=LOOKUP.draft, instruction="Be brief.")
    assert engine.refusal(told, engine.inspect((), fits)) is not None
    shorter = engine_of(make("llama"), make("gpt2", n_positions=40))
    assert "last position of 'small'" in str(shorter.refusal(ASSISTED, shorter.inspect((), fits)))


class Described:
    """A host of which only the description is known."""

    def __init__(self, config: Any, variant: str | None = None, tokenizer: Any = None) -> None:
        self.config = config
        self.variant = variant
        self.tokenizer = tokenizer
        self.generation_config = GenerationConfig()

    def model(self) -> Any:
        raise AssertionError("a misfit is told without loading")


@pytest.mark.parametrize(
    ("config", "directive", "why"),
    [
        (AutoConfig.for_model("t5"), LOOKUP, "draft: t5 is an encoder-decoder"),
        (AutoConfig.for_model("mamba"), LOOKUP, "draft: mamba keeps a state"),
        (AutoConfig.for_model("qwen3_next"), LOOKUP, "draft: qwen3_next"),
        (
            AutoConfig.for_model("llama", rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}),
            LOOKUP,
            "draft: its positions are of the kind dynamic",
        ),
        (AutoConfig.for_model("gpt2"), SHALLOW, "draft.depth: models of the family gpt2"),
        (
            AutoConfig.for_model("llama", num_hidden_layers=30),
            Directive(name="deep", draft=Draft(depth=30)),
            "draft.depth is 30 but the model has 30 layers",
        ),
    ],
    ids=["encoder-decoder", "state", "linear attention", "moving positions", "no views", "too deep"],
)
def test_a_model_that_cannot_draft_is_told_from_its_config(config: Any, directive: Directive, why: str) -> None:
    host = Described(config)
    assert str(DraftKnob(VariantPool(host, {}, {})).misfit(directive, host)).startswith(why)


def test_an_assistant_that_does_not_fit_is_named(make: Callable[..., Any], tokenizer: Any) -> None:
    model, other = make("llama"), trained(280, "the quick brown fox")
    own = Described(model.config, tokenizer=tokenizer)
    supplied = {"small": (make("llama"), tokenizer), "mute": (make("llama"), None), "short": (make("gpt2"), other)}
    knob = DraftKnob(VariantPool(own, {}, supplied))

    def misfit(name: str, host: Any = own) -> str:
        return str(knob.misfit(Directive(name="d", draft=Draft(assistant=name)), host))

    engine = HuggingFaceEngine(model, tokenizer, supplied=supplied)
    unknown = engine.misfit(Directive(name="d", draft=Draft(assistant="smal")))
    assert unknown == "draft.assistant 'smal': there is no variant of that name; did you mean 'small'?"
    assert misfit("small", Described(model.config, "small", tokenizer)).startswith(
        "draft.assistant 'small' is the very"
    )
    assert "without a tokenizer" in misfit("mute")
    assert misfit("short").startswith("draft.assistant 'short': it reads other tokens")
    assert misfit("small") == "None"
