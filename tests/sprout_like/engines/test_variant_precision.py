"""Other precisions of a live model: what is converted, what stays, and that the model itself is as it was."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
import torch

from sprout_like.engines.installing import replaced_generate
from sprout_like.engines.variants.precision import copy_at, copy_bytes, require_package
from sprout_like.errors import VariantUnavailable

pytestmark = pytest.mark.model

IDS = torch.tensor([[5, 17, 300, 7]])
SIZE = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 16}  # int4 comes in blocks of 64
ALL = ["bf16", "fp16", "int8", "int4"]


@pytest.fixture(params=ALL)
def precision(request: pytest.FixtureRequest) -> Any:
    package = {"int8": "torchao", "int4": "bitsandbytes"}.get(request.param)
    if package is not None:
        pytest.importorskip(package)
    return request.param


def storages(model: Any) -> dict[str, int]:
    return {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("tied", [True, False])
def test_the_copy_is_close_and_the_model_is_as_it_was(
    make_tiny: Callable[..., Any], precision: Any, tied: bool
) -> None:
    model = make_tiny("llama", **SIZE, tie_word_embeddings=tied)
    before, weights = storages(model), {n: t.clone() for n, t in model.state_dict().items()}
    exact = model(IDS).logits
    copy = copy_at(model, precision)
    close = copy(IDS).logits
    assert torch.nn.functional.cosine_similarity(exact.flatten(), close.float().flatten(), dim=0) > 0.9
    assert not torch.equal(exact, close.float())

    assert storages(model) == before
    assert all(torch.equal(t, weights[n]) for n, t in model.state_dict().items())
    assert torch.equal(model(IDS).logits, exact)
    assert all(p.requires_grad for p in model.parameters())
    theirs = {p.data_ptr() for p in model.parameters()}
    assert all(p.data_ptr() not in theirs for p in copy.parameters())
    tie = copy.get_input_embeddings().weight is copy.get_output_embeddings().weight
    assert tie == tied


@pytest.mark.parametrize("family", ["qwen2", "mistral", "gemma", "phi"])
def test_every_family_answers(make_tiny: Callable[..., Any], precision: Any, family: str) -> None:
    model = make_tiny(family, **SIZE)
    out = copy_at(model, precision).generate(IDS, max_new_tokens=5, do_sample=False)
    assert out.shape[1] > IDS.shape[1]


def test_the_live_weights_are_copied_not_those_it_was_loaded_from(tiny_model: Any) -> None:
    with torch.no_grad():
        tiny_model.model.norm.weight.fill_(3.0)
    assert (copy_at(tiny_model, "bf16").model.norm.weight == 3.0).all()


def test_rotary_frequencies_keep_their_precision(tiny_model: Any) -> None:
    assert copy_at(tiny_model, "bf16").model.rotary_emb.inv_freq.dtype == torch.float32


def test_weights_that_the_class_wants_in_fp32_stay_so(tiny_model: Any) -> None:
    tiny_model._keep_in_fp32_modules_strict = {"norm"}
    copy = copy_at(tiny_model, "fp16")
    assert copy.model.norm.weight.dtype == torch.float32
    assert copy.lm_head.weight.dtype == torch.float16


def test_the_copy_generates_under_the_models_own_settings_as_they_are_now(tiny_model: Any) -> None:
    copy = copy_at(tiny_model, "bf16")
    tiny_model.generation_config.max_length = 7
    assert copy.generate(IDS, do_sample=False, eos_token_id=None).shape[1] == 7


def test_a_replacement_of_generate_is_not_copied(tiny_model: Any) -> None:
    with replaced_generate(tiny_model, lambda *_, **__: "replaced"):
        copy = copy_at(tiny_model, "bf16")
    assert "generate" not in vars(copy)


def test_the_need_is_what_the_copy_takes(make_tiny: Callable[..., Any], precision: Any) -> None:
    model = make_tiny("llama", hidden_size=256, intermediate_size=1024)
    copy = copy_at(model, precision)
    taken = 0
    for parameter in copy.parameters():
        parts = [parameter]
        if hasattr(parameter, "qdata"):  # torchao
            parts = [parameter.qdata, parameter.scale]
        if getattr(parameter, "quant_state", None) is not None:  # bitsandbytes
            parts.append(parameter.quant_state.absmax)
        taken += sum(part.numel() * part.element_size() for part in parts)
    assert copy_bytes(model, precision) == {torch.device("cpu"): pytest.approx(taken, rel=0.01)}


def test_a_model_without_linear_layers_is_not_quantized_in_part(make_tiny: Callable[..., Any]) -> None:
    with pytest.raises(VariantUnavailable, match="no linear layers"):
        copy_at(make_tiny("gpt2"), "int8")


def test_layers_that_do_not_divide_into_blocks_stay_as_they_are(make_tiny: Callable[..., Any]) -> None:
    pytest.importorskip("bitsandbytes")
    copy = copy_at(make_tiny("llama", **SIZE | {"intermediate_size": 96}), "int4")
    layer = copy.model.layers[0].mlp
    assert type(layer.up_proj).__name__ == "Linear4bit"
    assert type(layer.down_proj) is torch.nn.Linear
    copy.generate(IDS, max_new_tokens=2, do_sample=False)


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    for precision, package in (("int8", "torchao"), ("int4", "bitsandbytes")):
        if importlib.util.find_spec(package) is None:
            with pytest.raises(VariantUnavailable, match=rf"{package}.*pip install 'sprout-like\[quantized\]'"):
                require_package(precision)  # type: ignore[arg-type]
        else:
            require_package(precision)  # type: ignore[arg-type]


@pytest.mark.parametrize("quantized", ["int8", "int4"])
def test_a_real_quantized_model_still_knows_the_capital(smollm2: tuple[Any, Any], quantized: Any) -> None:
    pytest.importorskip({"int8": "torchao", "int4": "bitsandbytes"}[quantized])
    model, tokenizer = smollm2
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    out = copy_at(model, quantized).generate(**asked, max_new_tokens=10, do_sample=False)
    assert "Paris" in tokenizer.decode(out[0])
