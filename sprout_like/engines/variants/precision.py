"""Other precisions of a model's weights.

bf16, fp16 and fp32 are plain conversions. int8 and int4 keep the weights of linear layers as small whole numbers, per
output channel or block, and compute in the model's own type ("weight-only"), so that no calibration is needed:

- int8 by torchao (`Int8WeightOnlyConfig`): one scale per output channel.
- int4 by bitsandbytes (NF4, arXiv 2305.14314): one scale per 64 weights.

Quantized is every `torch.nn.Linear` but the output layer, what is tied to an embedding and, at int4, what does not
divide into whole blocks; embeddings, norms, biases and layers of other classes keep their type. What they save is
memory, and energy only where its bandwidth is the limit: benchmarks/results/knobs.json has both on a small model.
Calibrate before relying on them.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import nn

from directives import Precision
from sprout_like.errors import VariantUnavailable
from sprout_like.knobs.decoding import cache_misfit

__all__ = ["DTYPES", "copy_at", "copy_bytes", "quantize", "require_package", "require_quantizable"]

DTYPES: Final[Mapping[str, torch.dtype]] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""The precisions that are a plain type of torch."""

_PACKAGES: Final[Mapping[str, str]] = {"int8": "torchao", "int4": "bitsandbytes"}

# Bytes per weight, scales included: a scale per row is next to nothing, one of 4 bytes per 64 weights is not.
_QUANTIZED_BYTES: Final[Mapping[str, float]] = {"int8": 1.01, "int4": 0.5 + 4 / 64}

# What the CPU kernel of bitsandbytes divides a weight into, as rows and columns.
_BLOCKS: Final[Mapping[str, tuple[int, int]]] = {"int4": (32, 64)}


def require_package(precision: Precision | None) -> None:
    """See that the package which quantizes is installed, without importing it.

    Raises:
        VariantUnavailable: it is not.
    """
    package = _PACKAGES.get(precision or "")
    if package is not None and importlib.util.find_spec(package) is None:
        raise VariantUnavailable(f"{precision} needs the package {package}. Run: pip install 'sprout-like[quantized]'")


def require_quantizable(model: Any, precision: Precision) -> None:
    """See that a live model can be copied at this precision.

    Raises:
        VariantUnavailable: it is to be quantized, and its layers are not such as the packages compute with.
    """
    if precision not in _PACKAGES:
        return
    if not _quantizable(model, precision):
        raise VariantUnavailable("the model has no linear layers that could be quantized. Leave this precision out")
    # State space models take their weights apart, which the packages' tensors do not allow.
    if (why := cache_misfit(model.config, frozenset({"full_attention", "sliding_attention"}))) is not None:
        raise VariantUnavailable(f"{why}, and only plain attention is known to run quantized. Leave this precision out")


def copy_at(model: Any, precision: Precision) -> Any:
    """An independent copy of a live model at another precision, in evaluation mode; ties between weights are kept.

    Every weight is converted as it is copied, so that no second copy at the old precision is made. Configuration
    objects are shared: the copy generates under the model's settings as they are now.
    """
    quantized = {id(layer.weight) for layer in _quantizable(model, precision).values()}
    memo: dict[int, Any] = {id(model.config): model.config, id(model.generation_config): model.generation_config}
    for name, weight in _weights(model):
        # The weights to be quantized are shared until `quantize` puts others in their place.
        memo[id(weight)] = weight if id(weight) in quantized else _converted(weight, _target(model, name, precision))
    copied = copy.deepcopy(model, memo)
    vars(copied).pop("generate", None)  # a replacement installed on the wrapped model would call that model
    if precision in _PACKAGES:
        quantize(copied, precision)
    return copied.requires_grad_(False).eval()


def copy_bytes(model: Any, precision: Precision) -> dict[torch.device, int]:
    """Memory in bytes that `copy_at` takes, by device."""
    quantized = {id(layer.weight) for layer in _quantizable(model, precision).values()}
    needed: dict[torch.device, float] = {}
    for name, weight in _weights(model):
        dtype = _target(model, name, precision)
        size = (
            _QUANTIZED_BYTES[precision]
            if id(weight) in quantized
            else (dtype.itemsize if dtype is not None and weight.is_floating_point() else weight.element_size())
        )
        needed[weight.device] = needed.get(weight.device, 0.0) + weight.numel() * size
    return {place: int(size) for place, size in needed.items()}


def quantize(model: Any, precision: Precision) -> None:
    """Quantize the linear layers in place; the tensors they had are left as they are, for whoever else has them.

    Raises:
        VariantUnavailable: there are none, as in GPT-2, whose layers are of a class of their own.
    """
    layers = _quantizable(model, precision)
    if not layers:
        raise VariantUnavailable("the model has no linear layers that could be quantized. Leave this precision out")
    if precision == "int8":
        _to_int8(model, layers)
    else:
        _to_int4(model, layers)


def _to_int8(model: Any, layers: Mapping[str, nn.Linear]) -> None:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    quantize_(model, Int8WeightOnlyConfig(), filter_fn=lambda _, name: name in layers)


def _to_int4(model: Any, layers: Mapping[str, nn.Linear]) -> None:
    from bitsandbytes.nn import Linear4bit, Params4bit

    for name, layer in layers.items():
        weight = layer.weight
        small = Linear4bit(layer.in_features, layer.out_features, bias=False, compute_dtype=weight.dtype, device="meta")
        small.weight = Params4bit(weight.data, requires_grad=False, quant_type="nf4")
        small.bias = layer.bias
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, small.to(weight.device))  # it is quantized as it is moved


def _quantizable(model: Any, precision: Precision) -> dict[str, nn.Linear]:
    """The layers that are quantized, by name; of subclasses we do not know what else they compute."""
    if precision not in _PACKAGES:
        return {}
    rows, columns = _BLOCKS.get(precision, (1, 1))
    kept = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    output = model.get_output_embeddings()
    return {
        name: module
        for name, module in model.named_modules()
        if type(module) is nn.Linear
        and module is not output
        and id(module.weight) not in kept
        and module.out_features % rows == 0
        and module.in_features % columns == 0
    }


def _weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """What a checkpoint would hold, each tensor once. Other buffers (rotary frequencies) keep their precision."""
    seen: set[int] = set()
    for name, weight in model.state_dict(keep_vars=True).items():
        if isinstance(weight, torch.Tensor) and id(weight) not in seen:
            seen.add(id(weight))
            yield name, weight


def _target(model: Any, name: str, precision: Precision) -> torch.dtype | None:
    """The type a weight is converted to; None keeps its own. The model class may name weights that need fp32."""
    dtype = DTYPES.get(precision)
    wide = set(getattr(model, "_keep_in_fp32_modules_strict", None) or ()) if dtype != torch.float32 else set()
    if dtype == torch.float16:
        wide |= set(getattr(model, "_keep_in_fp32_modules", None) or ())
    return torch.float32 if dtype is not None and wide.intersection(name.split(".")) else dtype


def _converted(weight: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    data = weight.detach().to(dtype=dtype if weight.is_floating_point() else None, copy=True)
    return nn.Parameter(data, requires_grad=False) if isinstance(weight, nn.Parameter) else data
