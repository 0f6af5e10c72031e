"""The `budget` knob: a limit on new tokens with a soft ending."""

from __future__ import annotations

import copy
import dataclasses
from functools import cached_property
from typing import Any

from directives import Directive
from sprout_like.engines.engine import Call, Plan
from sprout_like.knobs.arguments import end_ids, opaque_argument, setting
from sprout_like.knobs.soft_ending import SentenceEnds, SoftEnding

__all__ = ["BudgetKnob"]


class BudgetKnob:
    """Lowers the limit to the directive's where the caller's is higher; a caller's minimum is kept.

    Args:
        tokenizer: tells which tokens end a sentence; None gives a hard limit alone.
        model: its `generation_config` and `config` give what the caller leaves to them, as they are at each call.
    """

    name = "budget"

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model

    @cached_property
    def _sentence_ends(self) -> SentenceEnds | None:
        return None if self._tokenizer is None else SentenceEnds.of(self._tokenizer)

    @property
    def _model_config(self) -> Any:
        return self._model.generation_config

    def refusal(self, directive: Directive, call: Call) -> str | None:  # noqa: ARG002 - part of the protocol
        """Refuse calls whose limit we cannot tell or must not touch."""
        if call.prompt_ids is None or call.limit_tokens is None:
            return "the prompt is not given as tokens"
        if (name := opaque_argument(call.kwargs, self._model_config)) is not None:
            return f"the call uses {name}"
        return None

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """Set the limit and add the soft ending; the caller's lists and config are copied."""
        budget = directive.budget
        if budget is None or call.limit_tokens is None or call.limit_tokens <= budget.max_new_tokens:
            return plan
        limit = max(budget.max_new_tokens, self._least(plan, call))
        kwargs = self._limited(dict(plan.kwargs), limit, plan.prompt_length or 0)
        ends = end_ids(kwargs, self._model_config)
        if budget.soft_tokens and self._sentence_ends is not None and ends:
            from transformers import LogitsProcessorList

            soft = SoftEnding(
                prompt_length=plan.prompt_length or 0,
                limit_tokens=limit,
                soft_tokens=budget.soft_tokens,
                end_ids=ends,
                sentence_ends=self._sentence_ends,
            )
            kwargs["logits_processor"] = LogitsProcessorList([*(kwargs.get("logits_processor") or ()), soft])
        return dataclasses.replace(plan, kwargs=kwargs, limit_tokens=limit)

    def _least(self, plan: Plan, call: Call) -> int:
        """The caller's minimum of new tokens, never above the caller's own limit."""
        min_new_tokens = setting("min_new_tokens", plan.kwargs, self._model_config)
        if min_new_tokens is None:
            min_length = setting("min_length", plan.kwargs, self._model_config) or 0
            min_new_tokens = max(0, int(min_length) - (plan.prompt_length or 0))
        return min(int(min_new_tokens), call.limit_tokens or 0)

    def _limited(self, kwargs: dict[str, Any], limit: int, prompt_length: int) -> dict[str, Any]:
        """The arguments with that limit in force, in the one form that `generate` does not warn about."""
        kwargs.pop("max_length", None)
        config = kwargs.get("generation_config")
        if config is not None:
            kwargs.pop("max_new_tokens", None)
            kwargs["generation_config"] = config = copy.deepcopy(config)
            config.max_length, config.max_new_tokens = None, limit
        elif getattr(self._model_config, "max_length", None) is not None:
            # With a default `max_length`, `max_new_tokens` would be warned about at every request.
            kwargs |= {"max_new_tokens": None, "max_length": prompt_length + limit}
        else:
            kwargs["max_new_tokens"] = limit
        return kwargs
