"""Which models transformers can batch continuously with the tokens that `generate` gives."""

from __future__ import annotations

from typing import Any, Final

import torch

from sprout_like.engines.places import places

__all__ = ["misfit", "unfit_now"]

_LAYERS: Final = frozenset({"full_attention", "sliding_attention"})
"""Layer types that have a paged cache, see `PagedAttentionCache` of transformers."""


def misfit(model: Any) -> str | None:
    """Why a model can never be batched continuously; None where it can."""
    config = model.config
    if not hasattr(model, "init_continuous_batching"):
        return "it has no continuous batching"
    if config.is_encoder_decoder:
        return "it is an encoder-decoder"
    text = config.get_text_config()
    layers = set(getattr(text, "layer_types", None) or ())
    if getattr(model, "_is_stateful", False) or layers - _LAYERS:
        return "it keeps other state than the keys and values of full or sliding attention"
    if not getattr(model, "_supports_attention_backend", False):
        return "its attention cannot be exchanged"
    if len(places(model)) > 1:
        return "it sits on several devices"
    if (why := _unpaged(model)) is not None:
        return f'{why}, where "sdpa" or flash attention is needed (attn_implementation, when it is loaded)'
    return None


def unfit_now(model: Any) -> str | None:
    """Why a model that fits must not be batched in its present state; None where it may."""
    if model.training:
        return "the model is in training mode"
    if torch.is_autocast_enabled(model.device.type):
        return "the caller's thread computes in another precision"  # of which the batch's own thread knows nothing
    return _unpaged(model)


def _unpaged(model: Any) -> str | None:
    # Of others the manager would exchange the model's attention, under whoever else uses the model.
    attention = str(model.config._attn_implementation)  # noqa: SLF001 - its only name
    if attention == "sdpa" or "flash" in attention:
        return None
    return f"its attention is {attention}"
