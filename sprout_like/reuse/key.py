"""What an answer depends on, as one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import torch
import transformers

from directives import Directive
from sprout_like.engines.engine import Call, Plan

__all__ = ["answer_key", "settings_json", "unplain_argument"]

_FORMAT: Final = 1
"""Raised when the key or the kept content changes its meaning."""

_PROMPT: Final = frozenset({"inputs", "input_ids", "attention_mask"})

# They change nothing about the answer, or are part of the digest under another form.
_APART: Final = _PROMPT | {"streamer", "generation_config"}

# Where a config came from, and what it remembers of that; two processes differ in them, their answers do not.
_ORIGIN: Final = frozenset(
    {"_name_or_path", "_model_name_or_path", "_commit_hash", "_from_model_config", "_original_object_hash"}
)


def unplain_argument(kwargs: Mapping[str, Any]) -> str | None:
    """The first argument of a call that is not plain data, so that two calls could not be told to be equal."""
    for name, value in kwargs.items():
        if name in _PROMPT:
            if value is not None and not isinstance(value, torch.Tensor):
                return name
        elif name not in _APART and settings_json({name: value}) is None:
            return name
    config = kwargs.get("generation_config")
    return None if config is None or settings_json(vars(config)) is not None else "generation_config"


def settings_json(settings: Mapping[str, Any]) -> str | None:
    """Settings as text that is equal where they are; None where one of them is not plain data."""
    told = {name: value for name, value in settings.items() if name not in _ORIGIN}
    try:
        return json.dumps(told, sort_keys=True, default=_plain)
    except (TypeError, ValueError):  # ValueError: a list that holds itself
        return None


def answer_key(directive: Directive, plan: Plan, call: Call, weights: str) -> str | None:
    """SHA-256 of everything that decides a deterministic answer.

    The prompt as the engine runs it, the caller's settings, the model's own, the directive's knobs, the variant, the
    model's configuration, its weights, and the releases that compute.

    Args:
        directive: what is served; its name is left out.
        plan: the call with the other knobs applied.
        call: the caller's call.
        weights: digest of the answering model's weights.

    Returns:
        None where a configuration is not plain data.
    """
    host = plan.host
    if host is None:
        return None
    given = call.kwargs.get("generation_config")
    texts = [
        settings_json({name: value for name, value in call.kwargs.items() if name not in _APART}),
        settings_json({} if given is None else vars(given)),
        settings_json(vars(host.generation_config)),
        settings_json(vars(host.config)),
    ]
    if None in texts:
        return None
    knobs = sorted((name, repr(getattr(directive, name))) for name in directive.knobs)
    releases = (torch.__version__, transformers.__version__)
    prompt = [plan.kwargs.get(name) for name in sorted(_PROMPT)]
    forms = [None if each is None else (str(each.dtype), tuple(each.shape)) for each in prompt]
    digest = hashlib.sha256(
        repr((_FORMAT, releases, texts, knobs, host.variant, weights, call.prompt_length, forms)).encode()
    )
    for each in prompt:
        if each is not None:
            digest.update(each.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """For `json`: dtypes, sets, and configurations inside of configurations."""
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, transformers.PreTrainedConfig):
        return {name: each for name, each in vars(value).items() if name not in _ORIGIN}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(type(value).__name__)
