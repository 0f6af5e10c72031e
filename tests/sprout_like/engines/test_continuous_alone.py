"""What the batch cannot compute runs alone, right and with the plain engine's errors; what never fits is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    T5Config,
    T5ForConditionalGeneration,
    TextStreamer,
    TopKLogitsWarper,
)

from directives import FULL, Budget, Directive, Draft, KvCache, Lookup
from sprout_like.engines.continuous import ContinuousEngine
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import SettingError

pytestmark = pytest.mark.model

PROMPT = torch.tensor([[1, 5, 9, 14], [2, 2, 30, 31]])
MASK = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
SHORT = {"max_new_tokens": 6}


class After(StoppingCriteria):
    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 7)


ALONE: dict[str, dict[str, Any]] = {
    "beams": {"num_beams": 3, **SHORT},
    "several": {"num_return_sequences": 2, "do_sample": True, **SHORT},
    "dict": {"return_dict_in_generate": True, "output_scores": True, **SHORT},
    "criteria": {"stopping_criteria": StoppingCriteriaList([After()]), **SHORT},
    "processors": {"logits_processor": LogitsProcessorList([TopKLogitsWarper(1)]), "do_sample": True, **SHORT},
    "no repeats": {"no_repeat_ngram_size": 2, **SHORT},
    "at least": {"min_new_tokens": 5, **SHORT},
    "typical": {"typical_p": 0.5, "do_sample": True, **SHORT},
    "configured": {"generation_config": GenerationConfig(num_beams=2, max_new_tokens=4, pad_token_id=2)},
    "prefix": {"prefix_allowed_tokens_fn": lambda *_: [7, 8], **SHORT},
    "own cache": {"cache_implementation": "static", **SHORT},
    "lookup": {"input_ids": PROMPT[:1], "attention_mask": MASK[:1], "prompt_lookup_num_tokens": 2, **SHORT},
    "holes": {"attention_mask": torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]]), **SHORT},
}
WRONG: dict[str, dict[str, Any]] = {
    "unknown": {"no_such_thing": 3},
    "no room": {"max_new_tokens": 0},
    "cold": {"do_sample": True, "temperature": 0.0, **SHORT},
    "penalty": {"repetition_penalty": -1.0, **SHORT},
    "top_p": {"do_sample": True, "top_p": -2.0, **SHORT},
    "vocabulary": {"input_ids": torch.tensor([[1, 10**6]]), "attention_mask": torch.tensor([[1, 1]]), **SHORT},
    "twice": {"inputs": PROMPT, **SHORT},
    "no config": {"generation_config": {"max_new_tokens": 3}},
}


@pytest.fixture(scope="module")
def model(make_tiny: Any) -> Any:
    return make_tiny("llama")


@pytest.fixture(scope="module")
def engine(model: Any, tokenizer: Any) -> Iterator[Any]:
    engine = ContinuousEngine(model, HuggingFaceEngine(model, tokenizer))
    yield engine
    engine.close()


def sequences(output: Any) -> Any:
    return getattr(output, "sequences", output).tolist()


@pytest.mark.parametrize("form", ALONE)
def test_as_generate_gives_it(model: Any, engine: Any, ran: Any, form: str) -> None:
    call = {"input_ids": PROMPT, "attention_mask": MASK, **ALONE[form]}
    torch.manual_seed(3)
    bare = model.generate(**call)
    torch.manual_seed(3)
    generation = ran(engine, **call)
    assert sequences(generation.output) == sequences(bare)
    assert type(generation.output) is type(bare)
    assert generation.counts == {"batched": 0.0}


def test_a_stream(engine: Any, ran: Any, tokenizer: Any, capsys: Any) -> None:
    streamer = TextStreamer(tokenizer)
    ran(engine, input_ids=PROMPT[:1], streamer=streamer, **SHORT)
    assert capsys.readouterr().out


@pytest.mark.parametrize("form", WRONG)
@pytest.mark.filterwarnings("ignore")
def test_the_same_error(model: Any, engine: Any, ran: Any, form: str) -> None:
    call = {"input_ids": PROMPT, "attention_mask": MASK, **WRONG[form]}
    with pytest.raises(Exception) as plain:
        ran(HuggingFaceEngine(model, None), **call)
    with pytest.raises(type(plain.value)) as caught:
        ran(engine, **call)
    assert str(caught.value) == str(plain.value)
    # Nobody else's call has suffered.
    assert ran(engine, input_ids=PROMPT, attention_mask=MASK, **SHORT).counts == {"batched": 1.0}


def test_scores_that_cannot_be_drawn_from(engine: Any, model: Any, ran: Any) -> None:
    call = {"input_ids": PROMPT, "attention_mask": MASK, "do_sample": True, "temperature": 1e-300, **SHORT}
    with pytest.raises(RuntimeError) as plain:
        model.generate(**call)
    with pytest.raises(RuntimeError) as caught:
        ran(engine, **call)
    assert str(caught.value) == str(plain.value)


def test_beyond_the_last_position(make_tiny: Any, make_continuous: Any, ran: Any) -> None:
    model = make_tiny("gpt2", n_positions=16)
    engine = make_continuous(model)
    with pytest.raises(IndexError):
        ran(engine, input_ids=torch.arange(3, 15)[None], max_new_tokens=20)
    assert ran(engine, input_ids=PROMPT, attention_mask=MASK, **SHORT).counts == {"batched": 1.0}


def test_in_training_mode_and_under_autocast(make_tiny: Any, make_continuous: Any, ran: Any) -> None:
    model = make_tiny("llama")
    engine = make_continuous(model)
    call = {"input_ids": PROMPT, "attention_mask": MASK, **SHORT}
    with torch.autocast("cpu", torch.bfloat16):
        assert ran(engine, **call).counts == {"batched": 0.0}
    model.train()
    assert ran(engine, **call).counts == {"batched": 0.0}
    assert model.training


def test_directives_that_would_leave_the_batch_are_refused(engine: Any) -> None:
    lookup = Directive(name="lookup", draft=Draft(lookup=Lookup(ngram=2), tokens=3))
    flat = Directive(name="flat", kv_cache=KvCache(kind="static"))
    short = Directive(name="short", budget=Budget(max_new_tokens=4, soft_tokens=2))
    plain = engine.inspect((), {"input_ids": PROMPT, "attention_mask": MASK, **SHORT})
    assert "leave the batch" in engine.refusal(flat, plain)
    assert "leave the batch" in engine.refusal(lookup, engine.inspect((), {"input_ids": PROMPT[:1], **SHORT}))
    assert engine.refusal(short, plain) is None
    assert engine.refusal(FULL, plain) is None
    alone = engine.inspect((), {"input_ids": PROMPT, "attention_mask": MASK, "min_new_tokens": 2, **SHORT})
    assert engine.refusal(flat, alone) is None
    assert engine.misfit(flat) is None


def test_models_that_cannot_be_batched(make_tiny: Any, make_continuous: Any) -> None:
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=64, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0)
    )
    eager = make_tiny("llama")
    eager.set_attn_implementation("eager")
    mamba = make_tiny("mamba")
    for model, why in ((t5, "encoder-decoder"), (mamba, "other state"), (eager, "attention is eager")):
        with pytest.raises(
            SettingError, match=f'engine: "continuous" cannot serve .*{why}.* Use engine="transformers"'
        ):
            make_continuous(model)
