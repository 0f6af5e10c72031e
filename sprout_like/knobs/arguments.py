"""Reading the arguments of a `generate` call the way `generate` itself does."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

__all__ = [
    "OPAQUE",
    "caller_limit",
    "end_ids",
    "least_tokens",
    "opaque_argument",
    "setting",
    "with_limit",
    "with_settings",
]

# Arguments under which a prompt or a limit of ours would not mean what the caller's did: they depend on the prompt's
# exact positions, on its embeddings, on a second prompt, or replace the loop.
OPAQUE = frozenset(
    {
        "inputs_embeds",
        "past_key_values",
        "position_ids",
        "cache_position",
        "token_type_ids",
        "negative_prompt_ids",
        "negative_prompt_attention_mask",
        "custom_generate",
        "guidance_scale",
        "token_healing",
        "output_attentions",
        "output_hidden_states",
        "decoder_input_ids",
        "decoder_attention_mask",
        "encoder_outputs",
        "forced_bos_token_id",
        "sequence_bias",
    }
)

# Named parameters of `GenerationMixin.generate` that mean the same whatever stands in the prompt.
_KNOWN = frozenset(
    {
        "inputs",
        "input_ids",
        "attention_mask",
        "generation_config",
        "logits_processor",
        "stopping_criteria",
        "prefix_allowed_tokens_fn",
        "synced_gpus",
        "assistant_model",
        "streamer",
        "tokenizer",
        "assistant_tokenizer",
    }
)

# `GenerationConfig._get_default_generation_params`: without any limit, 20 new tokens.
_DEFAULT_NEW_TOKENS = 20


def setting(name: str, kwargs: Mapping[str, Any], model_config: Any) -> Any:
    """A generation setting as `generate` would resolve it: keyword, then the given config, then the model's own.

    Args:
        name: field of `GenerationConfig`.
        kwargs: the call's arguments by name.
        model_config: `model.generation_config`.
    """
    if name in kwargs:
        return kwargs[name]
    given = getattr(kwargs.get("generation_config"), name, None)
    return getattr(model_config, name, None) if given is None else given


def caller_limit(kwargs: Mapping[str, Any], model_config: Any, prompt_length: int) -> int:
    """The caller's own limit on new tokens per row, resolved as in `_prepare_generated_length`."""
    max_new_tokens = setting("max_new_tokens", kwargs, model_config)
    if max_new_tokens is not None:
        return int(max_new_tokens)
    max_length = setting("max_length", kwargs, model_config)
    return _DEFAULT_NEW_TOKENS if max_length is None else int(max_length) - prompt_length


def least_tokens(kwargs: Mapping[str, Any], model_config: Any, prompt_length: int) -> int:
    """The minimum of new tokens per row that is asked for; 0 where there is none."""
    min_new_tokens = setting("min_new_tokens", kwargs, model_config)
    if min_new_tokens is None:
        return max(0, int(setting("min_length", kwargs, model_config) or 0) - prompt_length)
    return int(min_new_tokens)


def opaque_argument(kwargs: Mapping[str, Any], model_config: Any) -> str | None:
    """The first argument that rules out changing the prompt or the limit; None where there is none.

    An argument that is neither a known parameter nor a generation setting belongs to the model (images, sounds, …)
    and rules it out too.
    """
    for name, value in kwargs.items():
        if value is None or value is False:
            continue
        if name in OPAQUE or not (name in _KNOWN or hasattr(model_config, name)):
            return name
    config = kwargs.get("generation_config")
    for name in OPAQUE:
        if getattr(config, name, None) or getattr(model_config, name, None):
            return name
    return "cache_implementation" if setting("cache_implementation", kwargs, model_config) == "paged" else None


def end_ids(kwargs: Mapping[str, Any], model_config: Any) -> tuple[int, ...]:
    """The end tokens in force; empty where there are none."""
    ends = setting("eos_token_id", kwargs, model_config)
    if ends is None:
        return ()
    if hasattr(ends, "flatten"):  # a tensor, also one without dimensions
        ends = ends.flatten().tolist()
    return (ends,) if isinstance(ends, int) else tuple(map(int, ends))


def with_settings(kwargs: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """The arguments with these generation settings in force, in the form that `generate` does not warn about.

    A given config is copied and carries them, as keywords beside a config are deprecated.
    """
    if kwargs.get("generation_config") is None:
        return {**kwargs, **settings}
    config = copy.deepcopy(kwargs["generation_config"])
    for name, value in settings.items():
        setattr(config, name, value)
    return {**{name: value for name, value in kwargs.items() if name not in settings}, "generation_config": config}


def with_limit(kwargs: Mapping[str, Any], model_config: Any, limit: int, prompt_length: int) -> dict[str, Any]:
    """The arguments with that limit on new tokens in force, in the one form that `generate` does not warn about."""
    kwargs = {name: value for name, value in kwargs.items() if name not in ("max_length", "max_new_tokens")}
    if kwargs.get("generation_config") is not None:
        return with_settings(kwargs, max_length=None, max_new_tokens=limit)
    if getattr(model_config, "max_length", None) is not None:
        # With a default `max_length`, `max_new_tokens` would be warned about at every request.
        return {**kwargs, "max_new_tokens": None, "max_length": prompt_length + limit}
    return {**kwargs, "max_new_tokens": limit}
