"""Views against models that really have those layers only, built anew with the same weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from sprout_like.engines.installing import replaced_generate
from sprout_like.engines.views import depth_view, split_view, unknown_family, unviewable
from tests.sprout_like.viewable import FAMILIES

pytestmark = pytest.mark.model

# Every family with views; windows narrower than the prompt where the family has them.
PROMPT = torch.tensor([[2, 2, 30, 31, 9, 41, 17, 8, 77, 5], [1, 5, 9, 14, 33, 92, 7, 61, 12, 3]])
MASK = (torch.arange(10) >= torch.tensor([[2], [0]])).long()
ASKED = {"input_ids": PROMPT, "attention_mask": MASK, "max_new_tokens": 12, "do_sample": False, "eos_token_id": None}


@pytest.fixture
def make(make_tiny: Callable[..., Any]) -> Callable[[str], Any]:
    return lambda family: make_tiny(family, num_hidden_layers=6, vocab_size=200, **FAMILIES[family])


def rebuilt(model: Any, layers: Sequence[int]) -> Any:
    """A model of its own with copies of these layers."""
    config = copy.deepcopy(model.config)
    config.num_hidden_layers = len(layers)
    for name in ("layer_types", "no_rope_layers"):
        if getattr(config, name, None):
            setattr(config, name, [getattr(config, name)[index] for index in layers])
    state = {name: value for name, value in model.state_dict().items() if ".layers." not in name}
    for place, index in enumerate(layers):
        old = f"model.layers.{index}."
        state |= {
            f"model.layers.{place}.{name.removeprefix(old)}": value
            for name, value in model.state_dict().items()
            if name.startswith(old)
        }
    other = type(model)(config).eval()
    other.load_state_dict(state)
    return other


def condition(model: Any) -> Any:
    """What must be as it was after anything was done with views of it."""
    addresses = {name: value.data_ptr() for name, value in model.state_dict().items()}
    numbers = [layer.self_attn.layer_idx for layer in model.model.layers]
    return addresses, numbers, model.config.to_dict(), model.generation_config.to_dict(), set(vars(model))


@pytest.mark.parametrize("layers", [(0, 1, 2), (0, 4, 5), (0, 2, 3, 5)], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_view_answers_like_a_model_of_those_layers_only(
    make: Callable[[str], Any], family: str, layers: tuple[int, ...]
) -> None:
    model = make(family)
    before = condition(model)
    full = model.generate(**ASKED)
    answer = depth_view(model, layers).generate(**ASKED)
    assert torch.equal(answer, rebuilt(model, layers).generate(**ASKED))
    assert not torch.equal(answer, full)
    assert condition(model) == before
    assert torch.equal(model.generate(**ASKED), full)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_of_a_split_make_up_the_whole(make: Callable[[str], Any], family: str) -> None:
    model = make(family)
    before = condition(model)
    split = split_view(model, 2)
    hidden = split.shallow(input_ids=PROMPT[1:], use_cache=False).last_hidden_state
    hidden = split.deep(inputs_embeds=hidden, use_cache=False).last_hidden_state
    assert torch.equal(split.head(inputs_embeds=hidden).logits, model(PROMPT[1:], use_cache=False).logits)
    assert condition(model) == before


def test_a_view_has_the_very_parameters_of_the_model(make: Callable[[str], Any]) -> None:
    model = make("llama")
    own = {parameter.data_ptr() for parameter in model.parameters()}
    assert {parameter.data_ptr() for parameter in depth_view(model, (0, 4, 5)).parameters()} < own


def test_a_view_made_while_generate_is_replaced_runs_itself(make: Callable[[str], Any]) -> None:
    model = make("llama")
    wanted = depth_view(model, (0, 1)).generate(**ASKED)
    with replaced_generate(model, lambda *_, **__: pytest.fail("went through the replacement")):
        assert torch.equal(depth_view(model, (0, 1)).generate(**ASKED), wanted)


def test_a_compiled_call_that_the_model_keeps_is_not_the_views(make: Callable[[str], Any]) -> None:
    model = make("llama")
    model._compiled_call = model.__call__  # as `generate` leaves it after a static cache on CUDA
    assert "_compiled_call" not in vars(depth_view(model, (0, 1)))


def test_a_views_generation_settings_are_its_own(make: Callable[[str], Any]) -> None:
    model = make("llama")
    depth_view(model, (0, 1)).generation_config.max_new_tokens = 99  # as an assistant's are changed
    assert model.generation_config.max_new_tokens != 99


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_a_family_that_would_be_truncated_for_good_is_refused(make_tiny: Callable[..., Any], family: str) -> None:
    model = make_tiny(family, vocab_size=200)
    assert family in str(unknown_family(model.config))
    assert family in str(unviewable(model))


def replace_forward(module: Any) -> None:
    module.forward = module.forward  # as accelerate's hooks and many patches do


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda model: model.train(), "training mode"),
        (replace_forward, "LlamaForCausalLM is replaced"),
        (lambda model: replace_forward(model.model), "LlamaModel is replaced"),
        (lambda model: replace_forward(model.model.layers[3].self_attn), "LlamaAttention is replaced"),
        (lambda model: setattr(model.model.layers[1], "_hf_hook", object()), "LlamaDecoderLayer is replaced"),
        (lambda model: setattr(model, "_compiled_call_impl", model.forward), "compiled"),
        (lambda model: setattr(model.config, "output_hidden_states", True), "hidden states"),
    ],
)
def test_a_model_whose_view_would_run_all_of_its_layers_is_refused(
    make: Callable[[str], Any], change: Callable[[Any], None], why: str
) -> None:
    model = make("llama")
    assert unviewable(model) is None
    change(model)
    assert why in str(unviewable(model))


def test_a_wrapped_model_is_refused(make: Callable[[str], Any]) -> None:
    class Wrapped(nn.Module):
        base_model_prefix = "model"

        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.model, self.config = inner, inner.config

    assert "Wrapped is not a plain" in str(unviewable(Wrapped(make("llama"))))
