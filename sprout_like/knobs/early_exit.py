"""The `early_exit` knob: fewer layers for every token, fewer for the sure ones, or an end for an answer that loops."""

from __future__ import annotations

import dataclasses
from typing import Any

from directives import Confidence, Depth, Directive, Repetition
from directives.knobs import layer_count
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.engines.views import depth_view, unknown_family, unviewable
from sprout_like.errors import VariantUnavailable
from sprout_like.knobs.arguments import end_ids, least_tokens, setting, with_settings
from sprout_like.knobs.confident_exit import ConfidentExit
from sprout_like.knobs.decoding import cache_of_its_own, loop_of_its_own, moving_positions, no_views
from sprout_like.knobs.looping import LoopCriterion

__all__ = ["EarlyExitKnob"]

# What the loop of the confident exit does not do: draw, look at text, return more than tokens, split a prompt.
_NOT_CONFIDENT = ("do_sample", "stop_strings", "return_dict_in_generate", "prefill_chunk_size", "synced_gpus")


class EarlyExitKnob:
    """Runs a view of the model, takes the place of `generate`'s loop, or adds a stopping criterion."""

    name = "early_exit"

    def misfit(self, directive: Directive, host: Host) -> str | None:
        """The family must be one that can be run in part, and must have the layers that are named."""
        exits = directive.early_exit
        if exits is None:
            return None
        if exits.depth is not None:
            return _depth_misfit(exits.depth, host.config)
        return None if exits.confidence is None else _confidence_misfit(exits.confidence, host.config)

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse calls that a form of it cannot serve as `generate` would."""
        exits, host = directive.early_exit, call.host
        if exits is None:
            return None
        if host is None or call.prompt_ids is None:
            return "the prompt is not given as tokens"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        why = None
        if exits.depth is not None:
            why = call.once(no_views) or _depth_refusal(call, host)
        elif exits.confidence is not None:
            why = call.once(no_views) or _confidence_refusal(call, host)
        return _repetition_refusal(call, host) if why is None and exits.repetition is not None else why

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:  # noqa: ARG002 - part of the protocol
        """First the form that chooses the layers, then the one that ends loops."""
        exits, host = directive.early_exit, plan.host
        if exits is None or host is None:
            return plan
        if exits.depth is not None:
            plan = _shallower(exits.depth, plan)
        elif exits.confidence is not None:
            plan = _confident(exits.confidence, plan)
        return plan if exits.repetition is None else _ending_loops(exits.repetition, plan, host)


def _count_misfit(key: str, value: float, config: Any) -> str | None:
    layers = config.num_hidden_layers
    if layer_count(value, layers) < layers:
        return None
    return f"{key} is {value} but the model has {layers} layers; give fewer"


def _depth_misfit(depth: Depth, config: Any) -> str | None:
    if (why := unknown_family(config)) is not None:
        return f"early_exit.depth: {why}"
    if depth.first is not None:
        return _count_misfit("early_exit.depth.first", depth.first, config)
    if depth.drop is not None and depth.drop[1] > config.num_hidden_layers:
        layers = config.num_hidden_layers
        return (
            f"early_exit.depth.drop is {list(depth.drop)} but the model has {layers} layers; end at {layers} or before"
        )
    return None


def _confidence_misfit(confidence: Confidence, config: Any) -> str | None:
    if (why := unknown_family(config)) is not None:
        return f"early_exit.confidence: {why}"
    if (kind := moving_positions(config)) is not None:
        # Tokens that left early would be caught up on with the frequencies of a later step.
        return f"early_exit.confidence: the model's positions are of the kind {kind}"
    return _count_misfit("early_exit.confidence.layer", confidence.layer, config)


def _depth_refusal(call: Call, host: Host) -> str | None:
    config = host.generation_config
    if setting("return_dict_in_generate", call.kwargs, config):
        return "the call wants its cache back, and it would hold fewer layers than the model"
    if setting("assistant_early_exit", call.kwargs, config):
        return "the call uses assistant_early_exit, which counts on all layers"
    return None


def _confidence_refusal(call: Call, host: Host) -> str | None:
    kwargs, config = call.kwargs, host.generation_config
    if call.batch_size != 1:
        return "a confident exit answers one prompt at a time"
    for name in ("num_beams", "num_return_sequences"):
        if (setting(name, kwargs, config) or 1) > 1:
            return f"the call uses {name}, and a confident exit gives one answer"
    chosen = next((name for name in _NOT_CONFIDENT if setting(name, kwargs, config)), None)
    why = chosen or call.once(loop_of_its_own) or call.once(cache_of_its_own)
    return None if why is None else f"the call uses {why}, and a confident exit is greedy with caches of its own"


def _repetition_refusal(call: Call, host: Host) -> str | None:
    kwargs, config = call.kwargs, host.generation_config
    if (setting("num_beams", kwargs, config) or 1) > 1:
        return "the call uses num_beams, whose rows change places"
    rows = (call.batch_size or 1) * (setting("num_return_sequences", kwargs, config) or 1)
    if rows > 1 and not end_ids(kwargs, config):
        # `generate` pads rows that have ended only where there is an end token; otherwise they would go on.
        return "rows cannot end one by one, as the model has no end token"
    return None


def _shallower(depth: Depth, plan: Plan) -> Plan:
    model = plan.runner
    count = model.config.num_hidden_layers
    start, end = (layer_count(depth.first, count), count) if depth.first is not None else depth.drop or (count, count)
    view = depth_view(_viewable(model), [*range(start), *range(end, count)])
    # The view is made for this run alone: compiling it, which `generate` does by itself with a static cache on CUDA,
    # would take far longer than it saves.
    return dataclasses.replace(plan, runner=view, kwargs=with_settings(plan.kwargs, disable_compile=True))


def _confident(confidence: Confidence, plan: Plan) -> Plan:
    model = _viewable(plan.runner)
    run = ConfidentExit(confidence, layer_count(confidence.layer, model.config.num_hidden_layers))
    return dataclasses.replace(plan, loop=run.loop, counts=(*plan.counts, run.counts))


def _ending_loops(repetition: Repetition, plan: Plan, host: Host) -> Plan:
    from transformers import StoppingCriteriaList

    kwargs, config, length = plan.kwargs, host.generation_config, plan.prompt_length or 0
    ends = set(end_ids(kwargs, config))
    pad = setting("pad_token_id", kwargs, config)
    criterion = LoopCriterion(
        repetition,
        prompt_length=length,
        least_tokens=least_tokens(kwargs, config, length),
        end_ids=ends if pad is None else ends | {int(pad)},
    )
    criteria = StoppingCriteriaList([*(kwargs.get("stopping_criteria") or ()), criterion])
    return dataclasses.replace(plan, kwargs={**kwargs, "stopping_criteria": criteria}, ender=criterion)


def _viewable(model: Any) -> Any:
    """The model; a variant's, which was not loaded when the call was judged, may have turned out to have no views.

    Raises:
        VariantUnavailable: it has none.
    """
    if (why := unviewable(model)) is not None:
        raise VariantUnavailable(f"early_exit: {why}; leave early_exit out where this variant answers")
    return model
