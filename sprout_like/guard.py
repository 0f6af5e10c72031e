"""Keeps the faults of our own parts away from the caller: nothing here raises for them, and everything says so once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from directives import FULL, Catalogue, Decision, Directive, Observation, Policy, Uniform
from grid import Grid, Look
from sprout_like.engines.engine import Call, Engine, Overhead, Plan
from sprout_like.ledger import Ledger
from sprout_like.record import RequestRecord
from sprout_like.serving import Reply

if TYPE_CHECKING:
    from sprout_like.evaluating.sample import Sampler

__all__ = ["Guard", "PolicyGuard"]

_LOG = logging.getLogger("sprout_like")


class Refusing(Protocol):
    """What can tell which directives fit; a call is whatever it takes for one."""

    def refusal(self, directive: Directive, call: Any) -> str | None:
        """Why the directive cannot be applied to this call; None where it can."""
        ...


class PolicyGuard:
    """The steps that call a grid, a policy or a ledger, for requests as they come and for batches of jobs."""

    def __init__(self, engine: Refusing, catalogue: Catalogue, ledger: Ledger, rng: Uniform) -> None:
        self._judging = engine
        self._catalogue = catalogue
        self._ledger = ledger
        self._rng = rng
        self._said: set[str] = set()

    def look(self, grid: Grid) -> Look:
        """The intensity to go by; unknown where the grid fails."""
        try:
            return grid.look()
        except Exception as exc:  # noqa: BLE001
            reason = f"the grid could not be looked at: {type(exc).__qualname__}"
            self._say(reason)
            return Look(None, False, reason)

    def current(self, policy: Policy) -> Policy:
        """The policy for one request: of one that changes while it runs, the one that it is now."""
        try:
            current: Policy = getattr(policy, "current", policy)
        except Exception as exc:  # noqa: BLE001
            self._say(f"policy {policy.name} does not say what it is now ({type(exc).__qualname__})")
            return policy
        return current

    def candidates(self, policy: Policy, call: Any) -> list[str]:
        """Names of the directives within the policy's reach that can be applied to the call, `full` among them."""
        reach = self._reach(policy)
        return [
            d.name
            for d in self._catalogue
            if not d.knobs or ((reach is None or d.name in reach) and self._fits(d, call))
        ]

    def _reach(self, policy: Policy) -> frozenset[str] | None:
        """Names of all directives the policy can ever choose; None where it does not say."""
        try:
            reach: Iterable[str] | None = getattr(policy, "reach", None)
            return None if reach is None else frozenset(reach)
        except Exception as exc:  # noqa: BLE001
            self._say(f"policy {policy.name} has no usable reach ({type(exc).__qualname__}); all directives are judged")
            return None

    def _fits(self, directive: Directive, call: Any) -> bool:
        try:
            return self._judging.refusal(directive, call) is None
        except Exception as exc:  # noqa: BLE001
            self._say(f"{directive.name} could not be judged ({type(exc).__qualname__}) and is left out")
            return False

    def choose(self, policy: Policy, observation: Observation, candidates: Sequence[str]) -> Decision:
        """The policy's decision; `full` where the policy fails or chooses what is not a candidate."""
        try:
            decision = policy.choose(observation, candidates, self._rng)
            if decision.directive not in candidates:
                return self._served_full(f"policy {policy.name} chose {decision.directive}, not a candidate")
            if decision.propensity is None or not 0 < decision.propensity <= 1:
                return self._served_full(f"policy {policy.name} gave a propensity that is none")
            return decision  # noqa: TRY300 - what is checked above may raise too
        except Exception as exc:  # noqa: BLE001
            return self._served_full(f"policy {policy.name} failed: {type(exc).__qualname__}")

    def log(self, record: RequestRecord) -> None:
        """Append the row; our own ledgers keep it through outages, one that raises has lost it."""
        try:
            self._ledger.append(record)
        except Exception as exc:  # noqa: BLE001
            _LOG.error("request %s: the ledger lost its row (%s)", record.request_id, type(exc).__qualname__)

    def _served_full(self, reason: str) -> Decision:
        self._say(f"{reason}; served full")
        return Decision(directive=FULL.name, propensity=None, reason=reason)

    def _say(self, what: str) -> None:
        """Once: the rows say of each request what happened to it."""
        if what not in self._said:
            self._said.add(what)
            _LOG.warning("%s", what)


class Guard(PolicyGuard):
    """The steps of the hot path that call a grid, a policy, a knob or a ledger, which may be anyone's code.

    Only here is `except Exception` right: a generation must not depend on the carbon plumbing around it. What cannot be
    done is left out, `full` is served, and the row says why; a propensity that is not known is None.
    """

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        ledger: Ledger,
        rng: Uniform,
        overhead: Overhead,
        monotonic_s: Callable[[], float],
        infer_task: Callable[[Call], str | None] | None = None,
    ) -> None:
        super().__init__(engine, catalogue, ledger, rng)
        self._engine = engine
        self._overhead = overhead
        self._monotonic_s = monotonic_s
        self._infer_task = infer_task

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        messages: Sequence[Mapping[str, Any]] | None,
        template: Mapping[str, Any] | None,
    ) -> Call:
        """What can be told of the call; one that cannot be understood is served `full`.

        Raises:
            Exception: whatever rendering the messages raises, which is the caller's part.
        """
        if messages is not None:
            return self._engine.inspect(args, kwargs, messages=messages, template=template)
        try:
            return self._engine.inspect(args, kwargs)
        except Exception as exc:  # noqa: BLE001
            self._say(f"a call could not be inspected ({type(exc).__qualname__}); it is served full")
            return Call(args=args, kwargs=kwargs)

    def infer_task(self, call: Call) -> str | None:
        """The kind of work a call without a tag is taken for; None where it cannot be told, or nothing infers it."""
        if self._infer_task is None:
            return None
        try:
            return self._infer_task(call)
        except Exception as exc:  # noqa: BLE001
            self._say(f"the task of a request could not be inferred ({type(exc).__qualname__}); it has none")
            return None

    def warn_of_misfits(self, policy: Policy) -> None:
        """Say which directives the policy can choose in vain: `full` would be served for ever without a word."""
        for name in sorted(self._reach(policy) or ()):
            if name in self._catalogue and (why := self._engine.misfit(self._catalogue[name])) is not None:
                self._say(f"policy {policy.name} can choose {name}, which never fits this model: {why}")

    def apply(self, decision: Decision, call: Call) -> tuple[Plan, Decision, float]:
        """The decision's plan, and the seconds spent loading for it, waiting for other loads included.

        It is the plan of `full` where a variant cannot be loaded, or a knob fails on a call that it had accepted.
        """
        prepare_s = 0.0
        try:
            directive = self._catalogue[decision.directive]
            kept = self._engine.ready(directive)  # until the plan is made: nothing of it is given back meanwhile
            if kept is None:
                start_s = self._monotonic_s()
                try:
                    kept = self._engine.make_ready(directive, self._overhead)
                finally:
                    prepare_s = self._monotonic_s() - start_s
            return self._engine.plan(directive, call), decision, prepare_s
        except Exception as exc:  # noqa: BLE001
            reason = f"{decision.directive} could not be applied: {type(exc).__qualname__}"
            return self._engine.plan(FULL, call), self._served_full(reason), prepare_s

    def offer(
        self,
        sampler: Sampler,
        messages: Sequence[Mapping[str, Any]],
        template: Mapping[str, Any] | None,
        arguments: Mapping[str, Any],
        reply: Reply,
    ) -> None:
        """Offer a request that was served to the sample of the traffic."""
        try:
            sampler.offer(messages, template, arguments, reply)
        except Exception as exc:  # noqa: BLE001
            self._say(f"a request could not be sampled ({type(exc).__qualname__}); it was served all the same")
