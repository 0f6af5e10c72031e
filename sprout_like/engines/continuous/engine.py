"""Calls from many threads share one batch; what cannot be batched runs alone, as the plain engine runs it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import torch

from directives import FULL, Directive
from sprout_like.engines.continuous.asking import Ask, BatchedPlan, batched
from sprout_like.engines.continuous.batch import Batch
from sprout_like.engines.continuous.fitting import misfit, unfit_now
from sprout_like.engines.continuous.session import MOST_TOKENS
from sprout_like.engines.engine import Call, Engine, Generation, Overhead, Pausable, Plan
from sprout_like.engines.locks import lock_of
from sprout_like.engines.output import counted, shown
from sprout_like.errors import SettingError

__all__ = ["ContinuousEngine"]

_BESIDE_OTHERS: Final = frozenset({"instruction", "budget"})
"""Knobs that change nothing but a row's prompt, limit and scores."""


class ContinuousEngine:
    """Serves what transformers' continuous batching can, together; all else through the plain engine, alone.

    While a call runs alone no batch does, so the model is never used by both: whoever comes first is served first.

    The greedy tokens are those of `generate` but for near-ties, which rounding decides (none seen in fp32). Sampling
    follows the same probabilities; which tokens are drawn depends on who else is in the batch, whatever the seed.

    A row's `knob_counts` say `batched`: 1 in the batch, 0 alone.

    Args:
        model: the model, as the plain engine has it.
        plain: understands calls, applies directives and runs what cannot be batched.
        monotonic_s: clock for idle time, in s.

    Raises:
        SettingError: transformers cannot batch this model.
    """

    name = "continuous"

    def __init__(self, model: Any, plain: Engine, *, monotonic_s: Callable[[], float] = time.perf_counter) -> None:
        if (why := misfit(model)) is not None:
            raise SettingError(
                "engine",
                f'"continuous" cannot serve {plain.model} ({type(model).__name__}): {why}',
                'Use engine="transformers", the default',
            )
        self._model = model
        self._plain = plain
        self._batch = Batch(model, monotonic_s)

    @property
    def model(self) -> str:
        """The name or path it was loaded from."""
        return self._plain.model

    @property
    def family(self) -> str | None:
        """`config.model_type`."""
        return self._plain.family

    def devices(self, plan: Plan | None = None) -> tuple[str, ...]:
        """As of the plain engine."""
        return self._plain.devices(plan)

    def hold(self, plan: Plan) -> AbstractContextManager[Any]:
        """Beside other batched plans; any other plan alone."""
        if isinstance(plan, BatchedPlan):
            return lock_of(self._model).together(self._batch)
        return self._plain.hold(plan)

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Call:
        """As the plain engine."""
        return self._plain.inspect(args, kwargs, messages=messages, template=template)

    def misfit(self, directive: Directive) -> str | None:
        """As of the plain engine: every directive fits calls that run alone anyway."""
        return self._plain.misfit(directive)

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Also what would take a call out of the batch: all others would wait for it, and it would cost more alone."""
        if (why := self._plain.refusal(directive, call)) is not None:
            return why
        alone = directive.knobs - _BESIDE_OTHERS
        if directive.reuse is not None and not directive.reuse.prefix:
            alone -= {"reuse"}  # a kept answer is given without running anything
        if not alone or not call.once(self._can_be_batched):
            return None
        return f"{min(alone)}: the call would leave the batch that it shares with others"

    def ready(self, directive: Directive) -> Any | None:
        """As of the plain engine."""
        return self._plain.ready(directive)

    def make_ready(self, directive: Directive, overhead: Overhead) -> Any:
        """As the plain engine."""
        return self._plain.make_ready(directive, overhead)

    def plan(self, directive: Directive, call: Call) -> Plan:
        """The plain engine's plan, as rows of the batch where it can be one."""
        plan = self._plain.plan(directive, call)
        return plan if plan.answer is not None else self._together(plan) or plan

    def synchronize(self) -> None:
        """As the plain engine."""
        self._plain.synchronize()

    def warm_up(self, plan: Plan, call: Call) -> None:
        """Begin the batch with two tokens after the prompt's end; or as the plain engine."""
        if not isinstance(plan, BatchedPlan):
            self._plain.warm_up(plan, call)
        else:
            self._batch.run([Ask(prompt=plan.asks[0].prompt[-8:], limit_tokens=2)])

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Wait for the plan's rows; or as the plain engine."""
        if not isinstance(plan, BatchedPlan):
            done = self._plain.run(plan, call, window)
            return dataclasses.replace(done, counts={**done.counts, "batched": 0.0})
        if not self._batch.is_running:
            window.pause()
            try:
                self._batch.start()
            finally:
                window.resume()
        output = _as_generate_gives(plan, self._batch.run(plan.asks))
        rows, reason = counted(output, plan)
        generation = Generation(
            output=shown(output, plan, call),
            answers=rows,
            new_tokens=None if rows is None else sum(map(len, rows)),
            finish_reason=reason,
            counts={"batched": 1.0},
            reused_tokens=0,
        )
        if plan.remember is not None:
            plan.remember(dataclasses.replace(generation, output=output))
        return generation

    def decode(self, plan: Plan, answer: Sequence[int]) -> str:
        """As the plain engine."""
        return self._plain.decode(plan, answer)

    def tick(self) -> None:
        """End a batch that nobody uses; as the plain engine."""
        self._batch.tick()
        self._plain.tick()

    def close(self) -> None:
        """End the batch, whose open calls fail; the plain engine is closed by who opened it."""
        self._batch.close()

    def _can_be_batched(self, call: Call) -> bool:
        return self._together(self._plain.plan(FULL, call)) is not None

    def _together(self, plan: Plan) -> BatchedPlan | None:
        # A call from within another that runs alone would wait for that one to end.
        if unfit_now(self._model) is not None or lock_of(self._model).held_here:
            return None
        return batched(plan, self._model, MOST_TOKENS)


def _as_generate_gives(plan: BatchedPlan, rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Prompts and answers as one tensor, rows that ended early filled up."""
    width = max(map(len, rows))
    filled = [[*row, *[plan.pad_id] * (width - len(row))] for row in rows]
    return torch.cat([plan.prompt_ids, torch.tensor(filled, device=plan.prompt_ids.device)], dim=1)
