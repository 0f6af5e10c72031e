"""The `variant` knob: the call is answered by another model, or by another precision of the same one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from directives import Directive
from sprout_like.engines.engine import Call, Host
from sprout_like.engines.inspecting import inspect_call
from sprout_like.engines.rendering import render
from sprout_like.engines.variants import VariantPool
from sprout_like.engines.variants.vocabulary import difference
from sprout_like.knobs.arguments import caller_limit, opaque_argument, setting, with_limit, with_settings
from sprout_like.knobs.prompt_view import PromptView

__all__ = ["VariantKnob"]

# Settings that mean the same whatever model and tokenizer answer, with what `generate` takes where neither the call nor
# the model says: `GenerationConfig._get_default_generation_params`.
_FREE: Final[Mapping[str, Any]] = {
    "do_sample": False,
    "early_stopping": False,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "length_penalty": 1.0,
    "max_time": None,
    "min_new_tokens": None,
    "min_p": None,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "num_return_sequences": 1,
    "remove_invalid_values": False,
    "renormalize_logits": None,
    "repetition_penalty": 1.0,
    "return_dict_in_generate": False,
    "temperature": 1.0,
    "top_h": None,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "use_cache": True,
}

_PROMPT = frozenset({"inputs", "input_ids", "attention_mask"})
_LIMITS = frozenset({"max_new_tokens", "max_length"})
# Which tokens begin, end and pad is each model's own affair; what describes the file is nobody's.
_OF_THE_MODEL = frozenset(
    {"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "transformers_version"}
)


class VariantKnob:
    """Turns a call of the wrapped model into the same call of a variant.

    A chat is rendered again where the variant's template or tokenizer differs. A prompt given as tokens goes only to
    variants to which its tokens mean the same. What the caller asked for stays: the limit on new tokens, and how tokens
    are chosen, also where the wrapped model's `generation_config` says so and not the call: a greedy model's variant is
    greedy. Which tokens end an answer is the variant's own affair, unless the call says it.

    It is applied before all other knobs, which then see the variant as their host.

    Args:
        pool: the variants.
    """

    name = "variant"

    def __init__(self, pool: VariantPool) -> None:
        self._pool = pool

    def redirected(self, directive: Directive, call: Call) -> Call | str:
        """The call as the variant answers it, or why it cannot; nothing is loaded for it."""
        name, own = directive.variant or "", call.host
        if (why := self._pool.refusal(name)) is not None:
            return why
        if own is None or call.prompt_ids is None or call.limit_tokens is None or call.limit_tokens < 1:
            return "the prompt is not given as tokens, or leaves no room for an answer"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        if call.kwargs.get("assistant_model") is not None:
            return "the call brings an assistant_model for the wrapped model"
        host = self._pool.host(name)
        foreign = difference(own.tokenizer, host.tokenizer)
        if foreign is not None and call.messages is None:
            return f"the prompt is tokens of the wrapped model's, which variant {name!r} does not share: {foreign}"
        if foreign is not None and (bound := _bound_to_tokenizer(call, own)) is not None:
            return (
                f"the call uses {bound}, which is bound to the wrapped model's tokenizer; variant {name!r}: {foreign}"
            )
        if (lost := _lost_setting(call, own, host)) is not None:
            return f"variant {name!r} sets {lost} for itself, and a given generation_config cannot unset it"
        redirected = self._asked_again(call, own, host, foreign)
        return redirected if isinstance(redirected, str) else _if_it_fits(redirected, directive, own, host)

    def _asked_again(self, call: Call, own: Host, host: Host, foreign: str | None) -> Call | str:
        changed = _changed(call, own, host, foreign)
        kwargs = with_settings(call.kwargs, **changed) if changed else call.kwargs
        if call.messages is None or (foreign is None and _same_template(own, host)):
            kwargs = _limited(kwargs, host, call, call.prompt_length or 0)
            opaque = opaque_argument(kwargs, host.generation_config)
            return dataclasses.replace(call, host=host, kwargs=kwargs, opaque=opaque)
        if setting("min_length", call.kwargs, own.generation_config):
            return "the call uses min_length, which counts the wrapped model's prompt"
        if not getattr(host.tokenizer, "chat_template", None):
            return f"variant {host.variant!r} has no chat template"
        prompt = _rendered(call, host)
        if prompt is None:
            return f"the chat template of variant {host.variant!r} does not take these messages"
        length = prompt["input_ids"].shape[1]
        kwargs = {key: value for key, value in kwargs.items() if key not in _PROMPT} | prompt
        kwargs |= PromptView(call.prompt_ids, length).shown_to(kwargs)
        again = inspect_call(host, (), (), _limited(kwargs, host, call, length), device=call.prompt_ids.device)
        return dataclasses.replace(
            again, messages=call.messages, template=call.template, limit_tokens=call.limit_tokens
        )


def _rendered(call: Call, host: Host) -> dict[str, Any] | None:
    from jinja2 import TemplateError

    try:
        return render(host.tokenizer, call.messages or (), call.template, call.prompt_ids.device)
    except TemplateError:  # how a template says what it cannot express, e.g. a system message
        return None


def _limited(kwargs: Mapping[str, Any], host: Host, call: Call, length: int) -> Mapping[str, Any]:
    """The caller's limit in force, which may have come from the wrapped model's own settings."""
    limit = call.limit_tokens or 0
    if caller_limit(kwargs, host.generation_config, length) == limit:
        return kwargs
    return with_limit(kwargs, host.generation_config, limit, length)


def _same_template(own: Host, host: Host) -> bool:
    templates = (getattr(each.tokenizer, "chat_template", None) for each in (own, host))
    return next(templates) == next(templates)


def _bound_to_tokenizer(call: Call, own: Host) -> str | None:
    """The first argument or setting in force that may depend on what the tokens mean."""
    harmless = _FREE.keys() | _LIMITS | _PROMPT
    given = (name for name, value in call.kwargs.items() if value is not None and value is not False)
    return next((name for name in (*given, *_set_by_model(own.generation_config)) if name not in harmless), None)


def _set_by_model(config: Any) -> Iterator[str]:
    """Names of what a model's own generation settings say beyond the tokens that are its own affair."""
    from transformers import GenerationConfig

    nothing = GenerationConfig()
    for name, value in vars(config).items():
        if value and not name.startswith("_") and name not in _OF_THE_MODEL and value != getattr(nothing, name, None):
            yield name


def _changed(call: Call, own: Host, host: Host, foreign: str | None) -> dict[str, Any]:
    """The settings that the variant would resolve in another way than the wrapped model does."""
    if own.generation_config is host.generation_config:
        return {}
    names = set(_FREE)
    if foreign is None:
        # Padding is shown to the caller, and means nothing to a model.
        names |= {"pad_token_id", *_set_by_model(own.generation_config)} - _LIMITS
    changed = {}
    for name in names - call.kwargs.keys():
        wanted = setting(name, call.kwargs, own.generation_config)
        if wanted != setting(name, call.kwargs, host.generation_config):
            changed[name] = _FREE.get(name) if wanted is None else wanted
    return changed


def _lost_setting(call: Call, own: Host, host: Host) -> str | None:
    """What a given config cannot say: None there means "as the model has it"."""
    if call.kwargs.get("generation_config") is None:
        return None
    changed = _changed(call, own, host, None)
    return next((name for name, value in changed.items() if value is None), None)


def _if_it_fits(redirected: Call, directive: Directive, own: Host, host: Host) -> Call | str:
    """Refuse what fits into the wrapped model's positions but not into the variant's fewer ones."""
    mine, its = (getattr(each.config.get_text_config(), "max_position_embeddings", None) for each in (own, host))
    if not isinstance(its, int) or (isinstance(mine, int) and its >= mine):
        return redirected
    limit = redirected.limit_tokens or 0
    limit = limit if directive.budget is None else min(limit, directive.budget.max_new_tokens)
    fits = (redirected.prompt_length or 0) + limit <= its
    return redirected if fits else f"prompt and answer would not fit into the {its} positions of {host.variant!r}"
