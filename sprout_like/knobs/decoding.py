"""What kind of loop and cache a call asks `generate` for, and what the cache of a model's family is made of."""

from __future__ import annotations

from typing import Any

from sprout_like.engines.engine import Call
from sprout_like.knobs.arguments import setting

__all__ = [
    "cache_misfit",
    "cache_of_its_own",
    "generation_config",
    "loop_of_its_own",
    "moving_positions",
    "no_views",
    "text_config",
]

# Settings under which `generate` drafts by itself, or runs a loop that is neither greedy search, sampling nor beams.
_LOOPS = (
    "assistant_model",
    "assistant_tokenizer",
    "assistant_early_exit",
    "assistant_ensemble_weight",
    "prompt_lookup_num_tokens",
    "use_mtp",
    "speculation_type",
    "penalty_alpha",
    "dola_layers",
    "constraints",
    "force_words_ids",
)


def loop_of_its_own(call: Call) -> str | None:
    """The first setting by which the call chooses another loop than greedy search, sampling or beams."""
    kwargs, config = call.kwargs, generation_config(call)
    chosen = (name for name in _LOOPS if setting(name, kwargs, config))
    groups = setting("num_beam_groups", kwargs, config) or 1
    return next(chosen, None) or ("num_beam_groups" if groups > 1 else None)


def cache_of_its_own(call: Call) -> str | None:
    """The setting by which the call chooses another cache than the dynamic one, or none."""
    kwargs, config = call.kwargs, generation_config(call)
    if setting("use_cache", kwargs, config) is False:
        return "use_cache=False"
    kind = setting("cache_implementation", kwargs, None)
    if kind is None and "cache_implementation" not in kwargs:
        kind = getattr(config, "cache_implementation", None)
        if kind == "hybrid":  # old Gemma files say so, and `generate` takes it for the dynamic cache
            kind = None
    return None if kind in (None, "dynamic") else f"cache_implementation={kind!r}"


def generation_config(call: Call) -> Any:
    """The `generation_config` of the model that is to answer the call; None where the engine has no hosts."""
    return None if call.host is None else call.host.generation_config


def no_views(call: Call) -> str | None:
    """Why the wrapped model cannot be run without some of its layers just now; None where it can.

    A variant may not be loaded yet, and is not loaded to be asked; what is loaded for one is as it was stored.
    """
    from sprout_like.engines.views import unviewable

    return unviewable(call.host.model()) if call.host is not None and call.host.variant is None else None


def text_config(config: Any) -> Any:
    """The part of a `PretrainedConfig` that is about text: itself, but for multimodal models."""
    return config.get_text_config(decoder=True)


def cache_misfit(config: Any, allowed: frozenset[str]) -> str | None:
    """Why the family's cache is not made of attention layers of the allowed kinds alone; None where it is.

    Args:
        config: the model's `PretrainedConfig`; the weights need not be loaded.
        allowed: of `full_attention` and `sliding_attention`.
    """
    from transformers.cache_utils import get_layer_types_and_kwargs
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    family = getattr(config, "model_type", type(config).__name__)
    if getattr(config, "is_encoder_decoder", False):
        return f"{family} is an encoder-decoder"
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        return f"the family {family} is not known to keep plain keys and values"
    model_class = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    if model_class._is_stateful or not model_class._supports_default_dynamic_cache():  # noqa: SLF001 - no public form
        return f"{family} keeps a state instead of keys and values"
    kinds, _ = get_layer_types_and_kwargs(text_config(config))
    other = sorted(str(kind) for kind in set(kinds) - allowed)
    return f"{family} has layers of the kind {other[0]}" if other else None


def moving_positions(config: Any) -> str | None:
    """The kind of rotary positions whose frequencies depend on the longest position of a step; None where they do not.

    Args:
        config: the model's `PretrainedConfig`.
    """
    rope = getattr(text_config(config), "rope_parameters", None) or {}
    kinds = {rope.get("rope_type"), *(each.get("rope_type") for each in rope.values() if isinstance(each, dict))}
    return next((kind for kind in ("dynamic", "longrope") if kind in kinds), None)
