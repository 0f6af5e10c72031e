"""Our reading of a call's limit is the one `generate` acts on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from sprout_like.knobs.arguments import caller_limit, end_ids, opaque_argument
from tests.sprout_like.shown import shown

pytestmark = pytest.mark.model

PROMPT = torch.arange(3, 13).unsqueeze(0)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"max_new_tokens": 7},
        {"max_length": 15},
        {"max_length": 40, "max_new_tokens": 6},
        {"generation_config": GenerationConfig(max_new_tokens=5)},
        {"generation_config": GenerationConfig(max_length=18)},
        {"generation_config": GenerationConfig(max_new_tokens=5), "max_new_tokens": 9},
        {"generation_config": GenerationConfig()},
    ],
    ids=shown,
)
@pytest.mark.parametrize("default", [{}, {"max_new_tokens": 11}, {"max_length": 21}], ids=shown)
@pytest.mark.filterwarnings("ignore")
def test_the_limit_is_what_generate_makes_of_it(
    tiny_model: Any, kwargs: dict[str, Any], default: dict[str, int]
) -> None:
    for name, value in default.items():
        setattr(tiny_model.generation_config, name, value)
    tiny_model.generation_config.eos_token_id = None  # nothing but the limit ends the answer
    length = PROMPT.shape[1]
    produced = tiny_model.generate(PROMPT, do_sample=False, attention_mask=torch.ones_like(PROMPT), **kwargs)
    assert produced.shape[1] - length == caller_limit(kwargs, tiny_model.generation_config, length)


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({"input_ids": PROMPT, "attention_mask": None, "temperature": 0.5, "do_sample": True}, None),
        ({"streamer": object(), "stop_strings": ["x"], "tokenizer": object()}, None),
        ({"output_scores": True, "return_dict_in_generate": True}, None),
        ({"output_attentions": False}, None),
        ({"output_attentions": True}, "output_attentions"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"position_ids": PROMPT}, "position_ids"),
        ({"custom_generate": lambda: None}, "custom_generate"),
        ({"guidance_scale": 1.5}, "guidance_scale"),
        ({"pixel_values": PROMPT}, "pixel_values"),
        ({"no_such_thing": 1}, "no_such_thing"),
        ({"cache_implementation": "paged"}, "cache_implementation"),
        ({"generation_config": GenerationConfig(guidance_scale=2.0)}, "guidance_scale"),
    ],
    ids=shown,
)
def test_arguments_that_forbid_touching_the_prompt(kwargs: dict[str, Any], name: str | None) -> None:
    assert opaque_argument(kwargs, GenerationConfig()) == name


def test_end_tokens_come_from_the_call_first() -> None:
    own = GenerationConfig(eos_token_id=2)
    assert end_ids({}, own) == (2,)
    assert end_ids({"eos_token_id": [5, 6]}, own) == (5, 6)
    assert end_ids({"generation_config": GenerationConfig(eos_token_id=7)}, own) == (7,)
    assert end_ids({}, GenerationConfig()) == ()
