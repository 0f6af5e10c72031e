"""From a variant's description to its model, and what is said where that cannot be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from directives import Variant
from sprout_like.engines.own_host import OwnHost
from sprout_like.engines.variants.loading import open_source
from sprout_like.errors import VariantUnavailable

pytestmark = pytest.mark.model

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def stored(make_tiny: Callable[..., Any], tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    model = make_tiny("qwen2", hidden_size=64, intermediate_size=128, head_dim=16)
    model.generation_config.update(do_sample=True, top_k=7)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored, tmp_path / "copy"))


@pytest.fixture
def opened(tiny_model: Any, tokenizer: Any) -> Open:
    def make(**described: Any) -> Any:
        return open_source("v", OwnHost(tiny_model, tokenizer), Variant(name="v", **described), None)

    return make


def test_a_stored_model_is_described_without_its_weights(opened: Open, copied: Path, tokenizer: Any) -> None:
    weights = copied / "model.safetensors"
    size = weights.stat().st_size
    weights.write_bytes(b"x" * size)  # nothing reads them before they are wanted
    source = opened(model=str(copied))
    assert source.config.model_type == "qwen2"
    assert source.generation_config.top_k == 7
    assert source.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert source.needed_bytes() == {torch.device("cpu"): size}


@pytest.mark.parametrize(("precision", "dtype"), [(None, torch.float32), ("bf16", torch.bfloat16)])
def test_a_stored_model_is_loaded_at_its_precision(
    opened: Open, stored: Path, precision: Any, dtype: torch.dtype
) -> None:
    source = opened(model=str(stored), precision=precision)
    model = source.load()
    assert model.dtype == dtype
    assert not model.training
    taken = sum(p.numel() * p.element_size() for p in model.parameters())
    assert source.needed_bytes()[torch.device("cpu")] == pytest.approx(taken, rel=0.02)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_a_stored_model_is_quantized(opened: Open, stored: Path, precision: Any) -> None:
    pytest.importorskip({"int8": "torchao", "int4": "bitsandbytes"}[precision])
    full, small = opened(model=str(stored)).load(), opened(model=str(stored), precision=precision).load()
    ids = torch.tensor([[5, 17, 300]])
    exact, close = full(ids).logits, small(ids).logits
    assert not torch.equal(exact, close)
    assert torch.nn.functional.cosine_similarity(exact.flatten(), close.flatten(), dim=0) > 0.9


def _without(*names: str) -> Callable[[Path], None]:
    return lambda folder: [each.unlink() for name in names for each in folder.glob(name)] and None


def _config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_without("config.json"), "configuration or tokenizer cannot be read"),
        (_without("token*"), "there is no tokenizer in"),
        (_without("*.safetensors"), "there are no weights in"),
        (_config(model_type="no_such_family"), "configuration or tokenizer cannot be read"),
        (_config(model_type="t5"), "t5 is no causal language model"),
        (_config(quantization_config={"quant_method": "gptq"}), "stored quantized already"),
    ],
    ids=["config", "tokenizer", "weights", "family", "encoder", "quantized"],
)
def test_a_folder_that_cannot_be_loaded_is_told_at_once(
    opened: Open, copied: Path, damage: Callable[[Path], None], why: str
) -> None:
    damage(copied)
    with pytest.raises(VariantUnavailable, match=why):
        opened(model=str(copied), precision="bf16")


@pytest.mark.parametrize("model", ["no/such-model", "/no/such/folder", "not a name"])
def test_what_is_not_here_is_not_downloaded(opened: Open, model: str) -> None:
    with pytest.raises(VariantUnavailable, match=f"hf download {model}"):
        opened(model=model)


def test_a_precision_that_the_model_has_is_no_variant(opened: Open) -> None:
    with pytest.raises(VariantUnavailable, match="fp32 already"):
        opened(precision="fp32")


def test_a_quantized_model_has_no_other_precisions(opened: Open, tiny_model: Any) -> None:
    tiny_model.config.quantization_config = {"quant_method": "gptq"}
    with pytest.raises(VariantUnavailable, match="quantized already"):
        opened(precision="bf16")


def test_a_copy_of_offloaded_weights_is_refused_when_it_is_made(opened: Open, tiny_model: Any) -> None:
    source = opened(precision="bf16")
    tiny_model.to("meta")
    with pytest.raises(VariantUnavailable, match="offloaded"):
        source.load()
