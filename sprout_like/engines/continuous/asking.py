"""From a plan to the rows of a batch: which calls of `generate` can share one, and how they ask for the same tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from transformers import (
    GenerationConfig,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from sprout_like.engines.continuous.rules import Draw, Processor, Rules
from sprout_like.engines.engine import Plan
from sprout_like.engines.inspecting import inspect_call
from sprout_like.knobs.arguments import end_ids, setting
from sprout_like.knobs.soft_ending import SoftEnding

__all__ = ["Ask", "BatchedPlan", "batched", "top_k_in_force"]

# What a call may state. The last five change no token of what the rest asks for.
_UNDERSTOOD: Final = frozenset(
    {
        "inputs",
        "input_ids",
        "attention_mask",
        "generation_config",
        "logits_processor",
        "max_new_tokens",
        "max_length",
        "do_sample",
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "repetition_penalty",
        "eos_token_id",
        "pad_token_id",
        "bos_token_id",
        "tokenizer",
        "use_cache",
        "disable_compile",
        "transformers_version",
    }
)
# Values with which anything else may be stated, beside None and False: they ask for what happens anyway.
_IDLE: Final = {
    "num_beams": 1,
    "num_return_sequences": 1,
    "min_length": 0,
    "typical_p": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "encoder_repetition_penalty": 1.0,
    "diversity_penalty": 0.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}
# `GenerationConfig._get_default_generation_params`.
_DEFAULT_TOP_K: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One row of a batch.

    Attributes:
        prompt: its tokens, without padding.
        limit_tokens: limit on new tokens. ends: the end tokens.
        rules: what is done to its scores; None where the best token is taken as it is.
    """

    prompt: Sequence[int] = dataclasses.field(repr=False)
    limit_tokens: int
    ends: tuple[int, ...] = ()
    rules: Rules | None = dataclasses.field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchedPlan(Plan):
    """A plan that runs beside others.

    Attributes:
        prompt_ids: the prompts as the plan has them, shape (rows, columns). pad_id: fills up rows that end early.
        asks: a row each.
    """

    prompt_ids: Any = dataclasses.field(repr=False)
    pad_id: int
    asks: tuple[Ask, ...]


def batched(plan: Plan, model: Any, most_tokens: int) -> BatchedPlan | None:
    """The same plan as rows of a batch; None where it must run alone, as `generate` will do or refuse it.

    Args:
        plan: what is to run.
        model: the model that is batched.
        most_tokens: longest row that the batch can take, answer included.
    """
    if plan.runner is not model or plan.models != (model,) or plan.args:
        return None
    if plan.loop is not None or plan.before_run is not None or plan.ender is not None or plan.counts:
        return None
    config, kwargs, limit = model.generation_config, plan.kwargs, plan.limit_tokens
    if limit is None or plan.host is None or not _is_plain(kwargs, config):
        return None
    call = inspect_call(plan.host, (), (), kwargs, device=model.device)
    if call.prompt_ids is None or call.rows is None or call.prompt_ids.device != model.device:
        return None
    if not _fit(call.rows, limit, model, most_tokens):
        return None
    try:
        ends = end_ids(kwargs, config)
        pad = setting("pad_token_id", kwargs, config)
        pad_id = ends[0] if pad is None and ends else int(pad or 0)
        width = call.prompt_ids.shape[1]
        asks = tuple(
            Ask(prompt=row, limit_tokens=limit, ends=ends, rules=_rules(kwargs, config, width - len(row), pad_id))
            for row in call.rows
        )
    except (TypeError, ValueError):  # a setting that `generate` refuses, in its own words
        return None
    facts = {field.name: getattr(plan, field.name) for field in dataclasses.fields(plan)}
    return BatchedPlan(**facts, prompt_ids=call.prompt_ids, pad_id=pad_id, asks=asks)


def top_k_in_force(kwargs: Mapping[str, Any], model_config: Any) -> Any:
    """Among how many tokens `generate` would sample where nothing else is asked for; None or 0: all of them."""
    top_k = setting("top_k", kwargs, model_config)
    return _DEFAULT_TOP_K if top_k is None and "top_k" not in kwargs else top_k


def _is_plain(kwargs: Mapping[str, Any], model_config: Any) -> bool:
    given = kwargs.get("generation_config")
    if not (given is None or isinstance(given, GenerationConfig)):
        return False
    if kwargs.get("inputs") is not None and kwargs.get("input_ids") is not None:
        return False
    configured = [*vars(model_config).items(), *(() if given is None else vars(given).items())]
    stated = [*kwargs.items(), *((name, value) for name, value in configured if not name.startswith("_"))]
    if not all(name in _UNDERSTOOD or _is_idle(name, value) for name, value in stated):
        return False
    return all(isinstance(processor, SoftEnding) for processor in kwargs.get("logits_processor") or ())


def _is_idle(name: str, value: Any) -> bool:
    if value is None or value is False or (isinstance(value, (list, tuple)) and not value):
        return True
    return name in _IDLE and isinstance(value, (int, float)) and value == _IDLE[name]


def _fit(rows: Sequence[Sequence[int]], limit: int, model: Any, most_tokens: int) -> bool:
    """Whether every row can be computed: an error of one in the midst of the batch would be everybody's."""
    if limit < 1 or not rows:
        return False
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = min(most_tokens, positions or most_tokens)
    vocabulary = model.get_input_embeddings().num_embeddings
    return all(row and len(row) + limit <= longest and min(row) >= 0 and max(row) < vocabulary for row in rows)


def _rules(kwargs: Mapping[str, Any], config: Any, padding: int, pad_id: int) -> Rules | None:
    processors = tuple(_processors(kwargs, config, padding))
    return Rules(processors, padding, pad_id) if processors else None


def _processors(kwargs: Mapping[str, Any], config: Any, padding: int) -> Iterator[Processor]:
    """What `generate` would apply, in its order (`GenerationMixin._get_logits_processor`)."""
    penalty = setting("repetition_penalty", kwargs, config)
    if penalty not in (None, 1.0):
        yield RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=padding or None)
    yield from kwargs.get("logits_processor") or ()
    if not setting("do_sample", kwargs, config):
        return
    if (temperature := setting("temperature", kwargs, config)) not in (None, 1.0):
        yield TemperatureLogitsWarper(temperature)
    if top_k := top_k_in_force(kwargs, config):
        yield TopKLogitsWarper(top_k=top_k)
    if (top_p := setting("top_p", kwargs, config)) is not None and top_p < 1.0:
        yield TopPLogitsWarper(top_p=top_p)
    if (min_p := setting("min_p", kwargs, config)) is not None:
        yield MinPLogitsWarper(min_p=min_p)
    yield Draw()
