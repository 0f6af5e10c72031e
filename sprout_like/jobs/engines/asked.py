"""From a prompt of a batch to what runs for it: rendered, with its directive applied, and judged for batching."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from directives import Directive
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import SproutError
from sprout_like.jobs.engines.engine import Answered
from sprout_like.knobs.arguments import end_ids, least_tokens, setting, with_limit

__all__ = ["Asked", "DirectiveRefused", "PromptUnusable", "fault", "prepared", "unbatchable"]

_KNOBS: Final = frozenset({"instruction", "budget", "early_exit"})

# The limits, which every row has its own of, and what says nothing of the tokens.
_OWN: Final = frozenset(
    {
        "_from_model_config",
        "transformers_version",
        "input_ids",
        "attention_mask",
        "inputs",
        "max_new_tokens",
        "max_length",
        "min_new_tokens",
        "min_length",
        "logits_processor",
        "stopping_criteria",
        "return_dict_in_generate",
        "output_scores",
        "output_logits",
        "output_attentions",
        "output_hidden_states",
    }
)

# Settings that mean the same for a row whatever stands beside it, and however it is padded with a token of its own.
_BY_ROW: Final = frozenset(
    {
        "bos_token_id",
        "cache_implementation",
        "disable_compile",
        "do_sample",
        "eos_token_id",
        "epsilon_cutoff",
        "eta_cutoff",
        "min_p",
        "pad_token_id",
        "remove_invalid_values",
        "renormalize_logits",
        "repetition_penalty",
        "suppress_tokens",
        "temperature",
        "top_h",
        "top_k",
        "top_p",
        "typical_p",
        "use_cache",
    }
)


class PromptUnusable(SproutError):
    """A prompt that no engine could run as it is; the message says why, without its text."""


class DirectiveRefused(SproutError, RuntimeError):
    """A directive that does not fit its prompt; another may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One prompt, ready to run.

    Attributes:
        place: in the batch. host: the model that answers. ids: the prompt's tokens, with the directive's instruction.
        limit_tokens: on new tokens. least_tokens: minimum of new tokens.
        settings: arguments of `generate` that all rows of a run must share.
        in_force: names of these and of the model's own, where they say anything.
        company: what rows that run together have in common; None where it must run alone.
    """

    place: int
    host: Host = field(repr=False)
    call: Call = field(repr=False)
    plan: Plan = field(repr=False)
    ids: list[int] = field(repr=False)
    limit_tokens: int
    least_tokens: int
    settings: Mapping[str, Any]
    in_force: frozenset[str]
    company: str | None

    @property
    def end_ids(self) -> tuple[int, ...]:
        """The end tokens in force."""
        return end_ids(self.settings, self.host.generation_config)

    def limited(self) -> Plan:
        """The plan for running it alone, within the model's context."""
        if self.limit_tokens == self.plan.limit_tokens:
            return self.plan
        kwargs = with_limit(self.plan.kwargs, self.host.generation_config, self.limit_tokens, len(self.ids))
        return replace(self.plan, kwargs=kwargs, limit_tokens=self.limit_tokens)


def unbatchable(directive: Directive) -> str | None:
    """Why no prompt could be answered under the directive beside others; None where some could."""
    if foreign := directive.knobs - _KNOBS:
        return f"{min(foreign)}: not for several prompts at a time"
    if directive.early_exit is not None and directive.early_exit.confidence is not None:
        return "early_exit.confidence: not for several prompts at a time"
    return None


def prepared(engine: HuggingFaceEngine, place: int, directive: Directive, call: Call) -> Asked:
    """The prompt with a directive applied.

    Raises:
        PromptUnusable: it is longer than the model's context, or asks for what a job cannot give.
        DirectiveRefused: `unbatchable` or the engine refuses the directive.
    """
    if call.host is None or call.prompt_ids is None or call.opaque is not None:
        raise PromptUnusable(f"its arguments cannot be used in a job: {call.opaque or 'no plain prompt'}")
    if (why := unbatchable(directive) or engine.refusal(directive, call)) is not None:
        raise DirectiveRefused(f"{directive.name}: {why}")
    plan = engine.plan(directive, call)
    config = call.host.generation_config
    kwargs, length = plan.kwargs, plan.prompt_length or 0
    if (setting("num_return_sequences", kwargs, config) or 1) > 1:
        raise PromptUnusable("num_return_sequences: a job keeps one answer for each prompt")
    least = least_tokens(kwargs, config, length)
    settings = {name: value for name, value in kwargs.items() if name not in _OWN}
    in_force = _in_force(settings, config)
    if setting("stop_strings", kwargs, config) is not None:
        plan = _told_of_tokens(plan, call.host.tokenizer)
    return Asked(
        place=place,
        host=call.host,
        call=call,
        plan=plan,
        ids=kwargs["input_ids"][0].tolist(),
        limit_tokens=_within_context(plan.limit_tokens or 0, length, call.host.config),
        least_tokens=least,
        settings=settings,
        in_force=in_force,
        company=_company(directive, settings, least, in_force),
    )


def fault(exc: Exception) -> Answered:
    """The answer of a prompt that cannot be run; what is told never holds text of it."""
    told = f"{type(exc).__name__}: {exc}" if isinstance(exc, SproutError) else type(exc).__name__
    # A template or an argument fails the same way every time; a device may not.
    return Answered(error=told, for_good=not isinstance(exc, RuntimeError | OSError))


def _within_context(limit_tokens: int, prompt_tokens: int, config: Any) -> int:
    positions = getattr(config, "max_position_embeddings", None)
    if limit_tokens < 1:
        raise PromptUnusable(f"max_new_tokens is {limit_tokens}; give 1 or more")
    if not isinstance(positions, int):
        return limit_tokens
    if prompt_tokens >= positions:
        raise PromptUnusable(f"the prompt has {prompt_tokens} tokens and the model's context holds {positions}")
    return min(limit_tokens, positions - prompt_tokens)


def _told_of_tokens(plan: Plan, tokenizer: Any) -> Plan:
    """The plan with the tokenizer, without which `generate` cannot look for stop strings."""
    if plan.kwargs.get("tokenizer") is not None:
        return plan
    if tokenizer is None:
        raise PromptUnusable("stop_strings need the model's tokenizer; give the engine one, or leave them out")
    return replace(plan, kwargs={**plan.kwargs, "tokenizer": tokenizer})


def _in_force(settings: Mapping[str, Any], config: Any) -> frozenset[str]:
    # Checkpoints keep settings of their own beside those that `generate` knows.
    known = type(config)().to_dict().keys()
    said = {name for name, value in config.to_diff_dict().items() if value is not None and value is not False}
    return frozenset(settings.keys() | (said & known)) - _OWN


def _company(directive: Directive, settings: Mapping[str, Any], least: int, in_force: frozenset[str]) -> str | None:
    if in_force - _BY_ROW:
        return None
    depth = directive.early_exit and directive.early_exit.depth
    return json.dumps([repr(depth), least, settings], sort_keys=True, default=repr)
