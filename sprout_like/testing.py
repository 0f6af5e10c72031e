"""Fakes for tests, ours and yours: an engine that does nothing, and the fakes of the other parts in one place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from directives import Directive
from sprout_like.engines.engine import Call, Generation, Overhead, Pausable, Plan
from sprout_like.ledger.testing import FailingStore, MemoryLedger
from sprout_like.meters.testing import FakeMeter, ManualClock

__all__ = ["FailingStore", "FakeMeter", "ManualClock", "MemoryLedger", "NullEngine"]


class NullEngine:
    """Answers every call at once with the same tokens; every directive can be applied and changes nothing but them.

    Args:
        new_tokens: length of an answer; a directive's budget shortens it.
        prompt_tokens: what every prompt is said to hold.
        error: raised by every run instead of answering.
        on_run: called at the start of every run, e.g. to move a clock.
        devices: where the model is said to sit.
    """

    name = "null"
    model = "null"
    family = None

    def __init__(
        self,
        *,
        new_tokens: int = 32,
        prompt_tokens: int = 16,
        error: BaseException | None = None,
        on_run: Callable[[], None] | None = None,
        devices: tuple[str, ...] = ("cpu",),
    ) -> None:
        self._new_tokens = new_tokens
        self._prompt_tokens = prompt_tokens
        self._error = error
        self._on_run = on_run
        self._devices = devices
        self._lock = threading.RLock()

    def devices(self, plan: Plan | None = None) -> tuple[str, ...]:  # noqa: ARG002 - part of the protocol
        """Those it was given."""
        return self._devices

    def hold(self, plan: Plan) -> AbstractContextManager[Any]:  # noqa: ARG002 - part of the protocol
        """Its own lock."""
        return self._lock

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Call:
        """One row of `prompt_tokens` tokens."""
        return Call(
            args=args,
            kwargs=kwargs,
            messages=messages,
            template=template or {},
            batch_size=1,
            prompt_length=self._prompt_tokens,
            prompt_tokens=self._prompt_tokens,
            limit_tokens=self._new_tokens,
        )

    def misfit(self, directive: Directive) -> str | None:  # noqa: ARG002 - part of the protocol
        """Never."""
        return None

    def ready(self, directive: Directive) -> Any | None:  # noqa: ARG002 - part of the protocol
        """Always; there is nothing to keep."""
        return ()

    def make_ready(self, directive: Directive, overhead: Overhead) -> Any:
        """Nothing is to be loaded."""

    def refusal(self, directive: Directive, call: Call) -> str | None:  # noqa: ARG002 - part of the protocol
        """Never."""
        return None

    def plan(self, directive: Directive, call: Call) -> Plan:
        """The call with the directive's limit."""
        limit = self._new_tokens
        if directive.budget is not None:
            limit = min(limit, directive.budget.max_new_tokens)
        return Plan(args=call.args, kwargs=call.kwargs, prompt_length=call.prompt_length, limit_tokens=limit)

    def synchronize(self) -> None:
        """Nothing runs on."""

    def warm_up(self, plan: Plan, call: Call) -> None:
        """Nothing to warm up."""

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:  # noqa: ARG002 - part of the protocol
        """Tokens 0, 1, 2, … up to the limit."""
        if self._on_run is not None:
            self._on_run()
        if self._error is not None:
            raise self._error
        answer = range(plan.limit_tokens or 0)
        return Generation(output=answer, answers=[answer], new_tokens=len(answer), finish_reason="length")

    def decode(self, plan: Plan, answer: Sequence[int]) -> str:  # noqa: ARG002 - part of the protocol
        """The tokens' numbers."""
        return " ".join(map(str, answer))

    def tick(self) -> None:
        """Nothing is idle."""

    def close(self) -> None:
        """Nothing was loaded."""
