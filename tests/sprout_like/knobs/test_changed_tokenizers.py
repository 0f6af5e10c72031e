"""A tokenizer that is changed between two calls: another template, further tokens."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

from directives import Directive, Draft, Reuse
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.variants.vocabulary import difference
from sprout_like.knobs.instruction import InstructionKnob
from sprout_like.reuse.prefixes import PrefixCache
from tests.sprout_like.knobs.calling import Window

pytestmark = pytest.mark.model

TOLD = Directive(name="told", instruction="Always answer briefly.")
ASSISTED = Directive(name="assisted", draft=Draft(tokens=3, assistant="small"))
PREFIX = Directive(name="prefix", reuse=Reuse(prefix=True))

SYSTEM = {"role": "system", "content": "Speak of the sea, and of nothing but the sea. " * 8}
USER = {"role": "user", "content": "Why?"}

HEADED = (
    "{% for m in messages %}<|im_start|>== {{ m.role }} ==\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>== assistant ==\n{% endif %}"
)
WITHOUT_SYSTEM = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"
PLAIN_ENDS = (
    "{% for m in messages %}@{{ m.role }}\n{{ m.content }}@end\n{% endfor %}"
    "{% if add_generation_prompt %}@assistant\n{% endif %}"
)


@pytest.fixture
def changing(tokenizer: Any) -> Any:
    """A tokenizer of one's own."""
    return copy.deepcopy(tokenizer)


def asked_in_tokens(engine: HuggingFaceEngine, tokenizer: Any) -> Any:
    prompt = tokenizer.apply_chat_template(
        [SYSTEM, USER], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    return engine.inspect((), {**prompt, "max_new_tokens": 4, "do_sample": False})


def test_a_template_that_lost_its_system_turn_carries_no_instruction(tiny_model: Any, changing: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, changing)
    assert engine.refusal(TOLD, engine.inspect((), {"max_new_tokens": 4}, messages=[USER])) is None
    changing.chat_template = WITHOUT_SYSTEM
    assert "no system turn" in str(engine.refusal(TOLD, engine.inspect((), {"max_new_tokens": 4}, messages=[USER])))


def test_an_instruction_goes_where_the_template_of_now_has_it(tiny_model: Any, changing: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, changing)
    assert engine.refusal(TOLD, asked_in_tokens(engine, changing)) is None
    changing.chat_template = HEADED
    call = asked_in_tokens(engine, changing)
    assert engine.refusal(TOLD, call) is None
    longer = {**SYSTEM, "content": f"{SYSTEM['content']}\n\nAlways answer briefly."}
    wanted = changing.apply_chat_template([longer, USER], add_generation_prompt=True, tokenize=False)
    assert changing.decode(engine.plan(TOLD, call).kwargs["input_ids"][0]) == wanted


def test_a_system_turn_is_found_once_its_end_is_a_special_token(tiny_model: Any, changing: Any) -> None:
    changing.chat_template = PLAIN_ENDS
    engine = HuggingFaceEngine(tiny_model, changing)
    assert engine.refusal(TOLD, asked_in_tokens(engine, changing)) == "the chat template is not recognised"
    changing.add_special_tokens({"additional_special_tokens": ["@end"]})
    assert engine.refusal(TOLD, asked_in_tokens(engine, changing)) is None


def test_a_tokenizer_is_freed_though_its_system_turn_was_learnt(tiny_model: Any, tokenizer: Any) -> None:
    knob, own = InstructionKnob(), copy.deepcopy(tokenizer)
    engine = HuggingFaceEngine(tiny_model, own)
    assert knob.refusal(TOLD, asked_in_tokens(engine, own)) is None
    freed = weakref.ref(own)
    del engine, own
    gc.collect()
    assert freed() is None


def test_a_beginning_is_kept_up_to_the_system_turn_of_the_template_of_now(tiny_model: Any, changing: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, changing, prefixes=PrefixCache(most_bytes=10**8))
    reused = []
    for template in (changing.chat_template, HEADED):
        changing.chat_template = template
        for question in ("Why?", "How many?"):
            call = engine.inspect(
                (), {"max_new_tokens": 3, "do_sample": False}, messages=[SYSTEM, {"role": "user", "content": question}]
            )
            reused.append(engine.run(engine.plan(PREFIX, call), call, Window()).reused_tokens)
    assert reused[0] == reused[2] == 0
    end = changing.convert_tokens_to_ids("<|im_end|>")
    assert call.prompt_ids[0, reused[3] - 1] == end


def test_vocabularies_are_compared_as_they_are_now(changing: Any, tokenizer: Any) -> None:
    assert difference(changing, tokenizer) is None
    changing.add_special_tokens({"additional_special_tokens": ["the"]})
    assert difference(changing, tokenizer) == "its special tokens differ"
    changing.add_tokens(["a token that the model does not have"])
    assert difference(changing, tokenizer) == "its vocabulary differs"


def test_an_assistant_whose_tokenizer_has_grown_reads_other_tokens(
    make_tiny: Callable[..., Any], tokenizer: Any, changing: Any
) -> None:
    rotary = HuggingFaceEngine(make_tiny("llama"), tokenizer, supplied={"small": (make_tiny("llama"), changing)})
    absolute = HuggingFaceEngine(make_tiny("llama"), tokenizer, supplied={"small": (make_tiny("gpt2"), changing)})
    call = {"input_ids": torch.tensor([[5, 6, 7]]), "do_sample": True, "max_new_tokens": 4}
    assert rotary.refusal(ASSISTED, rotary.inspect((), call)) is None
    assert absolute.misfit(ASSISTED) is None
    changing.add_tokens(["a token that the model does not have"])
    assert "another vocabulary" in str(rotary.refusal(ASSISTED, rotary.inspect((), call)))
    assert "reads other tokens" in str(absolute.misfit(ASSISTED))
