"""What one `CarbonAware` and all its views share, and how that ends."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from directives import Catalogue, Policy, Uniform
from grid import Grid
from sprout_like.background import Background, apart
from sprout_like.choosing.opening import OnDemand
from sprout_like.clock import Clock
from sprout_like.engines.engine import Call, Engine, Plan
from sprout_like.feed import Feed, Live, ObservedLedger
from sprout_like.guard import Guard
from sprout_like.jobs.aware import LazyQueue
from sprout_like.ledger import Ledger
from sprout_like.meters import Accounts, Window, charged_devices
from sprout_like.policies import open_policy
from sprout_like.serving import Reply
from sprout_like.settings import Settings
from sprout_like.settlement.intensity_log import IntensityLog

if TYPE_CHECKING:
    from sprout_like.evaluating.sample import Sampler

__all__ = ["Parts"]

_LOG = logging.getLogger("sprout_like")


class Parts:
    """What one `CarbonAware` and all its views share."""

    def __init__(
        self,
        *,
        settings: Settings,
        model: Any,
        tokenizer: Any,
        engine: Engine,
        grid: Grid,
        catalogue: Catalogue,
        policy: Policy,
        contextual: OnDemand,
        queue: LazyQueue,
        ledger: Ledger,
        accounts: Accounts,
        clock: Clock,
        rng: Uniform,
        infer_task: Callable[[Call], str | None] | None,
        sampler: Sampler | None,
        closing: Callable[[], object],
    ) -> None:
        self.settings = settings
        self.embodied = settings.embodied
        self.model = model
        self.tokenizer = tokenizer
        self.engine = engine
        self.grid = grid
        self.catalogue = catalogue
        self.policy = policy
        self._contextual = contextual
        self.queue = queue
        self.live = Live(Feed(), grid, ledger, policy, engine.model, accounts.meter_name)
        self.ledger = ledger = ObservedLedger(ledger, self.live.feed)
        self.accounts = accounts
        self.clock = clock
        self.rng = rng
        self._sampler = sampler
        self._charging = _Charging(engine, accounts)
        self.guard = Guard(engine, catalogue, ledger, rng, self._charging.overhead, clock.monotonic_s, infer_task)
        self.guard.warn_of_misfits(policy)
        self.session_id = uuid.uuid4().hex
        self._warm: weakref.WeakSet[Any] = weakref.WeakSet()
        self._owner = ledger.name
        accounts.attach(ledger.append, owner=self._owner)
        # A slow source must not hold up rows and accounts, nor their last ones at the end: hence a thread of its own.
        asking = Background({"grid": grid.refresh_if_due}, patient=False)
        background = Background(
            {
                "ledger": ledger.tick,
                "accounts": accounts.tick,
                "engine": engine.tick,
                "intensities": IntensityLog(grid, ledger).tick,
                "policy": contextual.tick,
                **({} if sampler is None else {"sample": sampler.tick}),
            }
        )
        # Runs once: on close(), when the last view is gone, or at the interpreter's exit.
        self._finalizer = weakref.finalize(
            self, apart, functools.partial(_close, (asking, background), accounts, ledger, self.live.feed, closing)
        )

    def open_policy(self, spec: str | Policy) -> Policy:
        """A policy from its name, a directive's name or itself.

        Raises:
            SettingError: see `CarbonAware`.
        """
        return open_policy(spec, self.catalogue, self.settings, contextual=self._contextual.policy)

    def open_window(self, plan: Plan) -> Window:
        """A metering window on the charged devices; its energy is unknown where there are none."""
        return self.accounts.open(self._charging.devices(plan) or (), owner=self._owner)

    def warm_up_once(self, plan: Plan, call: Call) -> None:
        """Before a loaded model's first request, make it ready; the energy is booked as overhead."""
        # An engine without model objects is warmed up once.
        cold = tuple(model for model in plan.models or (self,) if model not in self._warm)
        if not cold:
            return
        self._warm.update(cold)
        plan = dataclasses.replace(plan, models=cold if plan.models else ())
        with self.overhead():
            try:
                self.engine.warm_up(plan, call)
            except Exception as exc:  # noqa: BLE001 - the model's own error comes with the request itself
                _LOG.info("warm-up failed with %s", type(exc).__qualname__)
            self.engine.synchronize()

    def overhead(self) -> contextlib.AbstractContextManager[None]:
        """A block whose energy is nobody's request."""
        return self._charging.overhead()

    def offer(
        self,
        messages: Sequence[Mapping[str, Any]],
        template: Mapping[str, Any] | None,
        arguments: Mapping[str, Any],
        reply: Reply,
    ) -> None:
        """Offer a request that was served to the sample of the traffic, where the user wants one."""
        if self._sampler is not None:
            self.guard.offer(self._sampler, messages, template, arguments, reply)

    def close(self) -> None:
        """Stop the background, close the account, flush the ledger; once."""
        self._finalizer()


class _Charging:
    """Which devices are charged. Knows no `Parts`, which are to go with their last reference, not with a cycle."""

    def __init__(self, engine: Engine, accounts: Accounts) -> None:
        self._engine = engine
        self._accounts = accounts
        self._charged: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def devices(self, plan: Plan | None = None) -> tuple[str, ...] | None:
        """Ids of the devices a plan is charged for; None where one of them cannot be metered."""
        sits_on = self._engine.devices(plan)
        if sits_on not in self._charged:
            self._charged[sits_on] = charged_devices(self._accounts.devices, sits_on)
            if self._charged[sits_on] is None:
                _LOG.warning(
                    "the model sits on %s, which meter %s cannot read: energy is unknown. Run `sprout-like doctor`",
                    ", ".join(sits_on),
                    self._accounts.meter_name,
                )
        return self._charged[sits_on]

    def overhead(self) -> contextlib.AbstractContextManager[None]:
        """A block whose energy is nobody's request."""
        return self._accounts.overhead(self.devices() or ())


def _close(
    backgrounds: Iterable[Background], accounts: Accounts, ledger: Ledger, feed: Feed, closing: Callable[[], object]
) -> None:
    with contextlib.ExitStack() as steps:  # the last first, and each also where another fails
        steps.callback(closing)
        steps.callback(feed.close)
        steps.callback(ledger.flush)
        steps.callback(accounts.detach, ledger.name, ledger.append)  # its last account records go to the ledger
        for background in backgrounds:
            steps.callback(background.close)
