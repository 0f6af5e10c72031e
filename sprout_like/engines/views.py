"""Views of a model that run only some of its layers: the same parameters, and nothing of the model is changed.

A view is a shallow copy of the model and of its decoder with another list of layers and a config of its own. It is made
anew for every use, in well under a millisecond, so that none outlives a change of the model (adapters, `.to()`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast

__all__ = ["Split", "depth_view", "split_view", "unknown_family", "unviewable"]

# Families whose decoder is `layers` followed by a norm, loops over `layers[:config.num_hidden_layers]`, takes all that
# differs between layers from the layer itself or from `config.layer_types`, and scales embeddings, if at all, inside
# `embed_tokens`. Others would be run half: gpt2 and gpt_neox, for instance, loop over the whole list.
_FAMILIES = frozenset(
    {
        "gemma",
        "gemma2",
        "gemma3_text",
        "llama",
        "mistral",
        "olmo",
        "olmo2",
        "olmo3",
        "phi",
        "phi3",
        "qwen2",
        "qwen3",
        "smollm3",
    }
)

# What is set on a model object and belongs to it alone: an installed `generate`, what `generate` leaves behind.
_BOUND = ("generate", "_compiled_call", "_last_compile_config", "_previous_max_cache_length")


@dataclass(frozen=True, slots=True)
class Split:
    """A model in three parts, to be run one after the other; shallow and deep keep a cache each.

    Attributes:
        shallow: the embeddings and the first layers: from token ids to raw hidden states.
        deep: the other layers: from raw hidden states, given as `inputs_embeds`, to raw hidden states.
        head: the norm, the output layer and whatever the family does with its scores: from raw hidden states to logits.
    """

    shallow: Any
    deep: Any
    head: Any


class _Norm(nn.Module):
    """Stands for a decoder without layers."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, inputs_embeds: torch.Tensor, **_: Any) -> BaseModelOutputWithPast:
        return BaseModelOutputWithPast(last_hidden_state=self.norm(inputs_embeds))


def unknown_family(config: Any) -> str | None:
    """Why models of this config have no views; None where they may have.

    Args:
        config: a model's config; its `model_type` is its family.
    """
    family = getattr(config, "model_type", None)
    return None if family in _FAMILIES else f"models of the family {family} cannot be run without some of their layers"


def unviewable(model: Any) -> str | None:
    """Why this very model has no views just now; None where it has.

    A replaced or compiled `forward` is bound to the module it was made for, and would run all of its layers.
    """
    if (reason := unknown_family(model.config)) is not None:
        return reason
    base: Any = getattr(model, str(getattr(model, "base_model_prefix", "")), None)
    if not isinstance(model, PreTrainedModel) or not type(base).__module__.startswith("transformers.models."):
        return f"a {type(model).__name__} is not a plain transformers model"
    if model.training:
        return "the model is in training mode"
    if model.config.output_hidden_states or model.config.output_attentions:
        return "the model's config asks for its hidden states or attentions"  # caught by hooks, once per layer
    for module in (model, base, *base.layers, *(layer.self_attn for layer in base.layers)):
        own = vars(module)
        if "forward" in own or "_hf_hook" in own or own.get("_compiled_call_impl") is not None:
            return f"the forward of its {type(module).__name__} is replaced or compiled"
    return None


def depth_view(model: Any, layers: Sequence[int]) -> Any:
    """The model with only these of its layers, which can `generate` like any other.

    Args:
        model: a model that is not `unviewable`.
        layers: indices of the layers to run, rising.
    """
    view = _copied(model)
    view.config = _config(model.config, layers)
    view.generation_config = copy.deepcopy(model.generation_config)
    setattr(view, model.base_model_prefix, _decoder(_base(model), view.config, layers))
    return view


def split_view(model: Any, first: int) -> Split:
    """The model cut behind its first layers.

    Args:
        model: a model that is not `unviewable`.
        first: how many layers the shallow part has; fewer than the model.
    """
    base = _base(model)
    norm = "norm" if hasattr(base, "norm") else "final_layernorm"
    shallow, deep = (
        _decoder(base, _config(model.config, layers), layers)
        for layers in (range(first), range(first, len(base.layers)))
    )
    for part in (shallow, deep):
        setattr(part, norm, nn.Identity())
    head = _copied(model)
    setattr(head, model.base_model_prefix, _Norm(getattr(base, norm)))
    return Split(shallow, deep, head)


def _base(model: Any) -> Any:
    return getattr(model, model.base_model_prefix)


def _copied(module: Any) -> Any:
    """A module of its own with the same parts, whose parts can be exchanged."""
    view = copy.copy(module)
    own = vars(view)
    own["_modules"] = dict(own["_modules"])  # otherwise the module's own
    for name in _BOUND:
        own.pop(name, None)
    return view


def _config(config: Any, layers: Sequence[int]) -> Any:
    view = copy.copy(config)
    if getattr(config, "layer_types", None):
        view.layer_types = [config.layer_types[index] for index in layers]
    view.num_hidden_layers = len(layers)
    return view


def _decoder(base: Any, config: Any, layers: Sequence[int]) -> Any:
    view = _copied(base)
    view.config = config
    view.layers = nn.ModuleList(
        base.layers[index] if index == place else _renumbered(base.layers[index], place)
        for place, index in enumerate(layers)
    )
    return view


def _renumbered(layer: Any, place: int) -> Any:
    """The layer, finding its keys and values at another place of the cache."""
    view, attention = _copied(layer), _copied(layer.self_attn)
    attention.layer_idx = place
    if hasattr(view, "layer_idx"):
        view.layer_idx = place
    view.self_attn = attention
    return view
