"""The `budget` knob: a limit on new tokens with a soft ending."""

from __future__ import annotations

import dataclasses
from typing import Any
from weakref import WeakKeyDictionary

from directives import Directive
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.engines.locks import lock_of
from sprout_like.knobs.arguments import end_ids, least_tokens, with_limit
from sprout_like.knobs.soft_ending import SentenceEnds, SoftEnding

__all__ = ["BudgetKnob"]


class BudgetKnob:
    """Lowers the limit to the directive's where the caller's is higher; a caller's minimum is kept.

    The host's tokenizer tells which tokens end a sentence; without one the limit is hard.
    """

    name = "budget"

    def __init__(self) -> None:
        self._learnt: WeakKeyDictionary[Any, SentenceEnds] = WeakKeyDictionary()

    def misfit(self, directive: Directive, host: Host) -> str | None:  # noqa: ARG002 - part of the protocol
        """Any model can be limited."""
        return None

    def refusal(self, directive: Directive, call: Call) -> str | None:  # noqa: ARG002 - part of the protocol
        """Refuse calls whose limit we cannot tell or must not touch."""
        if call.host is None or call.prompt_ids is None or call.limit_tokens is None:
            return "the prompt is not given as tokens"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        return None

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """Set the limit and add the soft ending; the caller's lists and config are copied."""
        budget, host = directive.budget, call.host
        if budget is None or host is None or call.limit_tokens is None or call.limit_tokens <= budget.max_new_tokens:
            return plan
        config = host.generation_config
        limit = max(budget.max_new_tokens, _least(plan, call, config))
        kwargs = with_limit(plan.kwargs, config, limit, plan.prompt_length or 0)
        ends = end_ids(kwargs, config)
        if budget.soft_tokens and host.tokenizer is not None and ends:
            from transformers import LogitsProcessorList

            soft = SoftEnding(
                prompt_length=plan.prompt_length or 0,
                limit_tokens=limit,
                soft_tokens=budget.soft_tokens,
                end_ids=ends,
                sentence_ends=self._sentence_ends(host.tokenizer),
            )
            kwargs["logits_processor"] = LogitsProcessorList([*(kwargs.get("logits_processor") or ()), soft])
        return dataclasses.replace(plan, kwargs=kwargs, limit_tokens=limit)

    def _sentence_ends(self, tokenizer: Any) -> SentenceEnds:
        with lock_of(tokenizer):
            if tokenizer not in self._learnt:
                self._learnt[tokenizer] = SentenceEnds.of(tokenizer)
            return self._learnt[tokenizer]


def _least(plan: Plan, call: Call, config: Any) -> int:
    """The caller's minimum of new tokens, never above the caller's own limit."""
    return min(least_tokens(plan.kwargs, config, plan.prompt_length or 0), call.limit_tokens or 0)
