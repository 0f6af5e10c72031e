"""The `reuse` knob: what was computed before is not computed again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch

from directives import Directive
from sprout_like.engines.engine import Call, Generation, Host, Overhead, Plan
from sprout_like.engines.learnt import Learnt
from sprout_like.errors import VariantUnavailable
from sprout_like.knobs.arguments import setting
from sprout_like.knobs.decoding import cache_misfit, cache_of_its_own, loop_of_its_own
from sprout_like.knobs.system_turn import SystemTurn
from sprout_like.reuse.answers import AnswerStore, KeptAnswer
from sprout_like.reuse.given_again import given_again, kept
from sprout_like.reuse.key import answer_key, settings_json, unplain_argument
from sprout_like.reuse.prefixes import PrefixCache, prefilled
from sprout_like.reuse.weights import Weights, WeightState

__all__ = ["ReuseKnob"]

_SHORTEST_PREFIX: Final = 32
"""In tokens; below it, keeping a beginning costs more than it saves."""

_UNSEEN: Final = "changes of the model's weights could go unseen (quantized, offloaded or hooked modules)"

_PLAIN_CACHE: Final = frozenset({"full_attention"})
"""Layers that keep all keys and values and never write into them, so that a kept beginning stays what it is."""


class ReuseKnob:
    """Gives kept answers to deterministic calls, and goes on from kept beginnings of prompts.

    A kept beginning is the model's own computation, cut in two: where that changes the rounding, a near-tie between
    two tokens may fall the other way, as it may with any other cache or batch (seen in bf16, not in fp32).

    Args:
        answers: where answers are kept; None keeps none.
        prefixes: where beginnings are kept; None keeps none.
    """

    name = "reuse"

    def __init__(self, answers: AnswerStore | None, prefixes: PrefixCache | None) -> None:
        self._answers = answers
        self._prefixes = prefixes
        self._weights = Weights()
        self._turns = Learnt(SystemTurn.learn)
        self._misfits: WeakKeyDictionary[Host, str | None] = WeakKeyDictionary()

    def misfit(self, directive: Directive, host: Host) -> str | None:
        """Changes of the weights must be seen; a beginning needs layers that keep all keys and values."""
        if directive.reuse is None:
            return None
        if host.is_quantized:
            return f"reuse: {_UNSEEN}"
        if not directive.reuse.prefix:
            return None
        if host not in self._misfits:  # a third of a millisecond, and every request asks
            self._misfits[host] = cache_misfit(host.config, _PLAIN_CACHE)
        why = self._misfits[host]
        return None if why is None else f"reuse.prefix: {why}"

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse what cannot be reused as a whole: a directive is never half applied."""
        reuse, host = directive.reuse, call.host
        if reuse is None:
            return None
        if host is None or call.prompt_ids is None:
            return "the prompt is not given as tokens"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        if (why := call.once(self._unsteady)) is not None:
            return why
        if reuse.answers and (why := call.once(self._no_answers)) is not None:
            return why
        return (call.once(self._no_prefix) or self.misfit(directive, host)) if reuse.prefix else None

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """The kept answer; else a plan that goes on from a kept beginning and keeps its answer."""
        reuse, host = directive.reuse, plan.host
        if reuse is None or host is None:
            return plan
        model = host.model()
        state = None if getattr(model, "training", False) else self._weights.of(model)
        if state is None:
            # A variant that was not loaded when the call was judged. A directive is never half applied.
            raise VariantUnavailable(f"reuse: {_UNSEEN}; leave reuse out where this variant answers")
        if reuse.answers and self._answers is not None:
            plan = self._with_answer(self._answers, directive, plan, call, model, state)
        if reuse.prefix and self._prefixes is not None and plan.answer is None:
            depth = None if directive.early_exit is None else directive.early_exit.depth
            plan = dataclasses.replace(plan, before_run=self._prefixed(self._prefixes, plan, model, depth))
        return plan

    def is_ready(self, directive: Directive, host: Host) -> bool:
        """Whether the weights of a loaded host are known by content, without which no answer has a key."""
        if directive.reuse is None or not directive.reuse.answers:
            return True
        state = self._weights.of(host.model())
        return state is None or state.digest is not None

    def make_ready(self, directive: Directive, host: Host, overhead: Overhead) -> None:
        """Read the weights of a loaded host, where a kept answer is to be found by them."""
        if not self.is_ready(directive, host):
            self._weights.digest(host.model(), overhead)

    def close(self) -> None:
        """Give back the memory of kept beginnings."""
        if self._prefixes is not None:
            self._prefixes.clear()

    def _unsteady(self, call: Call) -> str | None:
        if call.host is None or call.host.variant is not None:  # a variant may not be loaded yet
            return None
        model = call.host.model()
        if getattr(model, "training", False):
            return "the model is in training mode"
        if self._weights.of(model) is None:
            return _UNSEEN
        return None

    def _no_answers(self, call: Call) -> str | None:
        if self._answers is None or call.host is None:
            return 'no answers are kept: set answer_cache to "memory" or "ledger"'
        config = call.host.generation_config
        for name in ("do_sample", "return_dict_in_generate", "max_time"):
            if setting(name, call.kwargs, config):
                return f"the call uses {name}"
        if (unplain := unplain_argument(call.kwargs)) is not None:
            return f"the argument {unplain} is not plain data"
        if call.kwargs.get("streamer") is not None and (setting("num_beams", call.kwargs, config) or 1) > 1:
            return "beams cannot be streamed"
        if settings_json(vars(config)) is None or settings_json(vars(call.host.config)) is None:
            return "the model's configuration is not plain data"
        return None

    def _no_prefix(self, call: Call) -> str | None:
        if self._prefixes is None or call.host is None:
            return "no beginnings are kept: set prefix_cache_mib above 0"
        if call.batch_size != 1 or call.rows is None or len(call.rows[0]) != call.prompt_length:
            return "the call is not one prompt without padding"
        config = call.host.generation_config
        for name in ("num_beams", "num_return_sequences"):
            if (setting(name, call.kwargs, config) or 1) > 1:
                return f"the call uses {name}"
        if setting("prefill_chunk_size", call.kwargs, config):
            return "the call uses prefill_chunk_size"
        # The drafting loop computes the whole prompt at its start, on top of any cache it is given.
        own = call.once(loop_of_its_own) or call.once(cache_of_its_own)
        return None if own is None else f"the call uses {own}"

    def _with_answer(
        self, store: AnswerStore, directive: Directive, plan: Plan, call: Call, model: Any, state: WeightState
    ) -> Plan:
        weights = self._weights
        digest = state.digest or weights.digest(model)
        key = None if digest is None else answer_key(directive, plan, call, digest)
        if key is None:
            return plan
        content, prompt = store.get(key), _prompt(plan)
        if content is not None:
            tokens = (call.prompt_tokens or 0) + plan.instruction_tokens
            return dataclasses.replace(plan, answer=given_again(KeptAnswer.from_json(content), prompt, tokens))

        def remember(generation: Generation) -> None:
            answer = kept(generation, prompt)
            if answer is not None and weights.of(model) is state:
                store.put(key, answer.to_json())

        return dataclasses.replace(plan, remember=remember)

    def _prefixed(
        self, prefixes: PrefixCache, plan: Plan, model: Any, view: Any
    ) -> Callable[[], tuple[Mapping[str, Any], int]]:
        """Under the model's lock: find the beginning, or compute it alone; either way `generate` goes on from there."""
        row = _prompt(plan)[0].tolist()
        tokenizer = None if plan.host is None else plan.host.tokenizer

        def go_on() -> tuple[Mapping[str, Any], int]:
            state = self._weights.of(model)
            if state is None:
                return {}, 0
            length = self._shared(prefixes, tokenizer, row)
            found = prefixes.find(model, state, view, row)
            if found is not None and length < len(found.ids) + _SHORTEST_PREFIX:
                return {"past_key_values": found.going_on()}, len(found.ids)
            if length < _SHORTEST_PREFIX:
                return {}, 0
            try:
                made = prefilled(plan.runner, row[:length])
            except torch.OutOfMemoryError:
                prefixes.clear()  # what is kept must not cost anybody an answer
                return {}, 0
            prefixes.put(model, state, view, made)
            return {"past_key_values": made.going_on()}, 0

        return go_on

    def _shared(self, prefixes: PrefixCache, tokenizer: Any, row: Sequence[int]) -> int:
        """How much of the prompt others are likely to begin with too: its system turn, else what recent ones did."""
        recent = prefixes.shared_with_recent(row)
        turn = None if tokenizer is None else self._turns.of(tokenizer)
        end = 0 if turn is None else _system_end(turn, row)
        return min(end if end >= _SHORTEST_PREFIX else recent, len(row) - 1)


def _prompt(plan: Plan) -> torch.Tensor:
    """The ids that `generate` is given."""
    ids = plan.kwargs.get("inputs")
    prompt: torch.Tensor = plan.kwargs["input_ids"] if ids is None else ids
    return prompt


def _system_end(turn: SystemTurn, row: Sequence[int]) -> int:
    """Length of the prompt up to and with the token that closes its system turn; 0 where it has none."""
    start = len(turn.opening)
    if tuple(row[:start]) != turn.opening or turn.closing not in row[start:]:
        return 0
    return row.index(turn.closing, start) + 1
