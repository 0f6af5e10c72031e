"""From names, URLs and objects to the parts of one `CarbonAware`; what is wrong with them is said here."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from directives import Catalogue, Policy, Uniform
from grid import Grid, SourceRefused
from sprout_like.background import Background, apart, within
from sprout_like.choosing.opening import OnDemand
from sprout_like.clock import Clock, SystemClock
from sprout_like.engines.engine import Call, Engine, Plan
from sprout_like.errors import SettingError
from sprout_like.evaluating.opening import open_sampler
from sprout_like.feed import Feed, Live, ObservedLedger
from sprout_like.grids import open_grid
from sprout_like.guard import Guard
from sprout_like.jobs.aware import LazyQueue
from sprout_like.ledger import Ledger, open_ledger
from sprout_like.meters import Accounts, Window, charged_devices, open_accounts
from sprout_like.policies import check_policy, open_catalogue, open_policy
from sprout_like.reuse.answers import AnswerStore
from sprout_like.reuse.memory_answers import MemoryAnswers
from sprout_like.serving import Reply
from sprout_like.settings import Settings
from sprout_like.settlement.intensity_log import IntensityLog

if TYPE_CHECKING:
    from sprout_like.evaluating.sample import Sampler

__all__ = ["Parts", "assemble"]

_LOG = logging.getLogger("sprout_like")

_BYTES_PER_MIB = 1 << 20
# Sources let go of connections, which takes milliseconds.
_CLOSE_WAIT_S = 5.0


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


def assemble(
    model: Any,
    tokenizer: Any,
    *,
    zone: str | None,
    grid: Any,
    policy: Any,
    ledger: Any,
    meter: Any,
    engine: Any,
    variants: Mapping[str, Any] | None,
    settings: Settings | None,
    clock: Clock | None,
    rng: Uniform | None,
) -> Parts:
    """Resolve every part.

    Raises:
        SettingError, grid.GridError: see `CarbonAware`.
    """
    clock = clock or SystemClock()
    named = {"zone": zone, "grid": _text(grid), "policy": _text(policy), "ledger": _text(ledger), "meter": _text(meter)}
    settings = Settings.load(**named) if settings is None else settings.replaced(**named)
    catalogue = open_catalogue(settings)
    spec = settings.policy if policy is None else policy
    check_policy(spec, catalogue, settings)
    infer_task = _open_inference(settings)
    with contextlib.ExitStack() as opened:
        opened_grid = grid if isinstance(grid, Grid) else open_grid(settings, grid, now_utc=clock.now_utc)
        ledger_spec = settings.ledger_spec if ledger is None else ledger
        opened_ledger = open_ledger(ledger_spec, spool_path=settings.spool)
        # What was given may be somebody else's too; only what was opened here is closed here.
        if opened_grid is not grid:
            opened.callback(_close_grid, opened_grid)
        if opened_ledger is not ledger:
            opened.callback(opened_ledger.close)
        answers = _open_answers(settings, ledger_spec, opened_ledger, clock, opened)
        engine = _open_engine(engine, model, tokenizer, clock, settings, catalogue, variants or {}, answers, opened)
        accounts = open_accounts(settings.meter if meter is None else meter, settings=settings, clock=clock)
        _prime(opened_grid, settings.grid_wait_s)
        database = None if opened_ledger is ledger_spec else functools.partial(_open_database, ledger_spec)
        sampler = open_sampler(settings, database, clock)
        if sampler is not None:
            opened.callback(sampler.close)
        contextual = OnDemand(
            settings=settings,
            catalogue=catalogue,
            model=model,
            engine=engine,
            grid=opened_grid,
            database=database,
            clock=clock,
        )
        opened.callback(contextual.close)
        queue = LazyQueue(
            ledger_spec, is_object=opened_ledger is ledger_spec, clock=clock, attempts=settings.job_attempts
        )
        opened.callback(queue.close)
        chosen = open_policy(spec, catalogue, settings, contextual=contextual.policy)
        closing = opened.pop_all().close
    parts = Parts(
        settings=settings,
        model=model,
        tokenizer=tokenizer,
        engine=engine,
        grid=opened_grid,
        catalogue=catalogue,
        policy=chosen,
        contextual=contextual,
        queue=queue,
        ledger=opened_ledger,
        accounts=accounts,
        clock=clock,
        rng=rng or Random(),
        infer_task=infer_task,
        sampler=sampler,
        closing=closing,
    )
    if settings.metrics_port is not None:
        from sprout_like.exports.prometheus import serve_as_set

        serve_as_set(parts, settings.metrics_port)
    return parts


def _open_engine(
    spec: Any,
    model: Any,
    tokenizer: Any,
    clock: Clock,
    settings: Settings,
    catalogue: Catalogue,
    variants: Mapping[str, Any],
    answers: AnswerStore | None,
    opened: contextlib.ExitStack,
) -> Engine:
    if isinstance(spec, str) and spec not in ("transformers", "continuous"):
        raise SettingError(
            "engine", f"there is no engine {spec!r}", 'Use "transformers", "continuous", or an engine of your own'
        )
    if spec is None or isinstance(spec, str):
        from sprout_like.engines.hugging_face import HuggingFaceEngine
        from sprout_like.reuse.prefixes import PrefixCache

        room = int(settings.prefix_cache_mib * _BYTES_PER_MIB)
        prefixes = PrefixCache(most_bytes=room) if room else None
        plain = HuggingFaceEngine(
            model,
            tokenizer,
            variants=catalogue.variants,
            supplied=variants,
            headroom_gib=settings.variant_headroom_gib,
            monotonic_s=clock.monotonic_s,
            answers=answers,
            prefixes=prefixes,
        )
        opened.callback(plain.close)
        spec = _together(model, plain, clock, opened) if spec == "continuous" else plain
    engine: Engine = spec
    if catalogue.origin is not None:
        # Of the built-in catalogue each model takes what fits it; a file of the user's own says what they want.
        for directive in catalogue:
            if (misfit := engine.misfit(directive)) is not None:
                raise SettingError(
                    "catalogue",
                    f"{catalogue.origin}, directive {directive.name!r}: {misfit}",
                    "Correct the directive, or leave it out for this model",
                )
    return engine


def _together(model: Any, plain: Engine, clock: Clock, opened: contextlib.ExitStack) -> Engine:
    from sprout_like.engines.continuous import ContinuousEngine

    engine = ContinuousEngine(model, plain, monotonic_s=clock.monotonic_s)
    opened.callback(engine.close)
    return engine


def _open_inference(settings: Settings) -> Callable[[Call], str | None] | None:
    if settings.classes is None:
        return None
    from sprout_like.classes.inferring import Inference, open_classes

    return Inference(open_classes(settings.classes))


def _open_database(spec: Any) -> Any:
    """An engine of its own on the ledger's database; nothing connects yet."""
    from sprout_like.ledger.engine import build_engine
    from sprout_like.ledger.open import ledger_address

    return build_engine(ledger_address(spec))


def _open_answers(
    settings: Settings, ledger_spec: Any, ledger: Ledger, clock: Clock, opened: contextlib.ExitStack
) -> AnswerStore | None:
    bounds = {
        "most_entries": settings.answer_cache_entries,
        "most_bytes": int(settings.answer_cache_mib * _BYTES_PER_MIB),
    }
    if settings.answer_cache == "off":
        return None
    if settings.answer_cache == "memory":
        return MemoryAnswers(**bounds)
    if ledger is ledger_spec:
        raise SettingError(
            "answer_cache",
            "'ledger' needs a database, and the ledger was given as an object",
            'Give the ledger as a path or URL, or set answer_cache to "memory"',
        )
    from sprout_like.reuse.ledger_answers import LedgerAnswers

    answers = LedgerAnswers(_open_database(ledger_spec), **bounds, clock=clock)
    opened.callback(answers.close)
    return answers


def _text(part: Any) -> str | None:
    """What a part's setting becomes when the part is given: its name, or nothing where it is an object."""
    return part if isinstance(part, str) else None


def _prime(grid: Grid, wait_s: float) -> None:
    """Ask for the first reading, waiting no longer than `wait_s`; a refused key is an error here and now."""
    refused: list[SourceRefused] = []

    def ask() -> None:
        try:
            grid.prime()
        except SourceRefused as exc:
            refused.append(exc)

    within(wait_s, ask, name="sprout-like-first-reading")
    if refused:
        raise refused[0]


def _close_grid(grid: Grid) -> None:
    """Close it, and leave it to itself where its source does not come to an end."""
    if not within(_CLOSE_WAIT_S, grid.close, name="sprout-like-closing-grid"):
        _LOG.warning("grid %s has not closed within %g s and is left to itself", grid.source.name, _CLOSE_WAIT_S)
