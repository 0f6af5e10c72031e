"""The `draft` knob: several tokens are guessed cheaply and checked at once (speculative decoding)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from packaging.version import Version

from directives import Directive, Draft
from directives.knobs import layer_count
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.engines.variants.vocabulary import same_tokens
from sprout_like.errors import VariantUnavailable
from sprout_like.knobs.arguments import setting, with_settings
from sprout_like.knobs.decoding import (
    cache_misfit,
    cache_of_its_own,
    generation_config,
    loop_of_its_own,
    moving_positions,
    no_views,
    text_config,
)
from sprout_like.knobs.drafting import DraftCount, Drafter, SingleSteps
from sprout_like.knobs.translating import TranslatingDrafter

__all__ = ["Assistants", "DraftKnob"]

# Sliding windows take back guesses right from this release on, see huggingface/transformers#48280.
_WINDOWS_SINCE = Version("5.23")

# What sees the tokens of an answer one by one: with a draft it would see wrong guesses too, or only every few tokens.
_WATCHERS = (
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "stop_strings",
    "max_time",
    "watermarking_config",
    "synced_gpus",
)


class Assistants(Protocol):
    """The variants, of which each may guess for the model that answers."""

    def host(self, name: str) -> Host:
        """The variant of that name."""
        ...


class DraftKnob:
    """Guesses from the prompt, by another model, or by the model's own first layers.

    A greedy answer stays as it is, token by token: only what the model itself would have chosen is taken over. A
    sampled one keeps its distribution, though not its random numbers: guesses from the prompt are compared with the
    model's own draw, and those of a model with the same tokens are accepted by speculative sampling (Leviathan et al.
    2023, algorithm 1). Checking several tokens in one step rounds differently from one by one, as a batch does: at 16
    bits two tokens that are all but equally likely may change places, see huggingface/transformers#30413.

    It needs one row, one answer and the plain cache, which alone can take back a wrong guess.

    Args:
        assistants: the variants; whether one of that name exists and can be used now is asked before this knob.
    """

    name = "draft"

    def __init__(self, assistants: Assistants) -> None:
        self._assistants = assistants
        # Why a host cannot take back guesses: it takes a third of a millisecond, and every request asks.
        self._known: WeakKeyDictionary[Host, str | None] = WeakKeyDictionary()

    def misfit(self, directive: Directive, host: Host) -> str | None:
        """The family must be able to take back guesses; assistant and depth must fit the model."""
        draft = directive.draft
        if draft is None:
            return None
        if (why := self._irrevocable(host)) is not None:
            return f"draft: {why}, so a wrong guess cannot be taken back"
        if draft.assistant is not None:
            return self._assistant_misfit(draft.assistant, host)
        return _depth_misfit(draft, host.config)

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse calls whose answer the draft might change, and those that `generate` would refuse with one."""
        draft, host = directive.draft, call.host
        if draft is None:
            return None
        if host is None or call.prompt_ids is None or call.limit_tokens is None:
            return "the prompt is not given as tokens"
        if (why := call.once(_undraftable)) is not None:
            return why
        width = _widest(directive, call) + draft.tokens
        if width > call.once(_positions):
            return "a draft would reach beyond the model's last position"
        if draft.assistant is not None:
            return self._assistant_refusal(draft.assistant, host, call, width)
        return None if draft.depth is None else call.once(no_views)

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """Name who guesses, count the rounds, and give a streamer single tokens."""
        draft, host = directive.draft, call.host
        if draft is None or host is None:
            return plan
        if draft.lookup is not None:
            return _counted(
                plan,
                with_settings(
                    plan.kwargs, prompt_lookup_num_tokens=draft.tokens, max_matching_ngram_size=draft.lookup.ngram
                ),
            )
        if draft.depth is not None:
            return _counted(
                plan, {**plan.kwargs, "assistant_model": _own_layers(draft.depth, draft.tokens, plan.runner)}
            )
        if draft.assistant is None:
            return plan
        assistant = self._assistants.host(draft.assistant)
        model = assistant.model()
        kwargs = {**plan.kwargs, "assistant_model": self._drafter(draft.tokens, assistant, model, host)}
        return _counted(dataclasses.replace(plan, models=(*plan.models, model)), kwargs)

    def _drafter(self, tokens: int, assistant: Host, model: Any, host: Host) -> Drafter | TranslatingDrafter:
        if same_tokens(assistant.tokenizer, host.tokenizer):
            return Drafter(model, tokens, host.config)
        return TranslatingDrafter(
            model, assistant.tokenizer, tokens, target_config=host.config, target_tokenizer=host.tokenizer
        )

    def _irrevocable(self, host: Host) -> str | None:
        if host not in self._known:
            self._known[host] = _irrevocable(host.config)
        return self._known[host]

    def _assistant_misfit(self, name: str, host: Host) -> str | None:
        if name == host.variant:
            return f"draft.assistant {name!r} is the very model that answers; name a smaller one"
        assistant = self._assistants.host(name)
        if (why := self._irrevocable(assistant)) is not None:
            return f"draft.assistant {name!r}: {why}, so a wrong guess cannot be taken back"
        own, other = host.tokenizer, assistant.tokenizer
        if own is not other and (own is None or other is None):
            whose = "the wrapped model" if own is None else "it"
            return f"draft.assistant {name!r}: {whose} was given without a tokenizer, so tokens cannot be compared"
        if not same_tokens(own, other) and not _rotary(text_config(assistant.config)):
            return f"draft.assistant {name!r}: it reads other tokens, and its last position might come too early"
        return None

    def _assistant_refusal(self, name: str, host: Host, call: Call, width: int) -> str | None:
        assistant = self._assistants.host(name)
        if width > _positions_of(assistant.config):
            return f"a draft would reach beyond the last position of {name!r}"
        alike = same_tokens(assistant.tokenizer, host.tokenizer) and (
            text_config(assistant.config).vocab_size == text_config(host.config).vocab_size
        )
        if setting("do_sample", call.kwargs, host.generation_config) and not alike:
            return f"the call samples, and {name!r} has another vocabulary"
        return None


def _irrevocable(config: Any) -> str | None:
    """Why tokens cannot be taken out of the model's cache, or would change what stays in it."""
    import transformers

    windows = {"sliding_attention"} if Version(transformers.__version__) >= _WINDOWS_SINCE else set()
    if (why := cache_misfit(config, frozenset({"full_attention"} | windows))) is not None:
        return why
    kind = moving_positions(config)  # they depend on the longest position of a step, guesses included
    return None if kind is None else f"its positions are of the kind {kind}"


def _depth_misfit(draft: Draft, config: Any) -> str | None:
    if draft.depth is None:
        return None
    from sprout_like.engines.views import unknown_family

    if (why := unknown_family(config)) is not None:
        return f"draft.depth: {why}"
    layers = config.num_hidden_layers
    if layer_count(draft.depth, layers) >= layers:
        return f"draft.depth is {draft.depth} but the model has {layers} layers; give fewer"
    return None


def _own_layers(depth: float, tokens: int, runner: Any) -> Drafter:
    """The model's first layers as its assistant.

    Raises:
        VariantUnavailable: the loaded model turns out to have no views.
    """
    from sprout_like.engines.views import depth_view, unviewable

    if (why := unviewable(runner)) is not None:
        raise VariantUnavailable(f"draft.depth: {why}; leave it out where this variant answers")
    first = layer_count(depth, runner.config.num_hidden_layers)
    return Drafter(depth_view(runner, range(first)), tokens, runner.config)


def _counted(plan: Plan, kwargs: Mapping[str, Any]) -> Plan:
    from transformers import StoppingCriteriaList

    count = DraftCount(plan.prompt_length or 0)
    criteria = StoppingCriteriaList([*(kwargs.get("stopping_criteria") or ()), count])
    kwargs = {**kwargs, "stopping_criteria": criteria}
    if kwargs.get("streamer") is not None:
        kwargs["streamer"] = SingleSteps(kwargs["streamer"])
    return dataclasses.replace(plan, kwargs=kwargs, counts=(*plan.counts, count.counts))


def _undraftable(call: Call) -> str | None:
    """Why a call is not to be drafted for, whoever guesses."""
    if call.opaque is not None:
        return f"the call uses {call.opaque}"
    if call.batch_size != 1:
        return "a draft answers one prompt at a time"
    kwargs, config = call.kwargs, generation_config(call)
    for name in ("num_beams", "num_return_sequences"):
        if (setting(name, kwargs, config) or 1) > 1:
            return f"the call uses {name}, and a draft gives one answer"
    for name in _WATCHERS:
        if setting(name, kwargs, config):
            return f"the call uses {name}, which must see every token by itself"
    why = call.once(loop_of_its_own) or call.once(cache_of_its_own)
    return None if why is None else f"the call uses {why}"


def _widest(directive: Directive, call: Call) -> int:
    """Most columns the run can have: no tokenizer makes more tokens of a text than it has bytes."""
    instruction = 0 if directive.instruction is None else len(directive.instruction.encode()) + 16
    return (call.prompt_length or 0) + instruction + (call.limit_tokens or 0)


def _positions(call: Call) -> float:
    return math.inf if call.host is None else _positions_of(call.host.config)


def _positions_of(config: Any) -> float:
    """How many positions exist; infinitely many where they are rotary, and taken to be where nothing is told."""
    text = text_config(config)
    positions = getattr(text, "max_position_embeddings", None)
    return positions if isinstance(positions, int) and not _rotary(text) else math.inf


def _rotary(text: Any) -> bool:
    return bool(getattr(text, "rope_parameters", None))
