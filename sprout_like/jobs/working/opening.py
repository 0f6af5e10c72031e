"""From settings to a worker that holds all its parts, and gives them back."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from directives import Directive, Policy
from grid import Grid
from sprout_like.background import Background
from sprout_like.choosing.opening import OnDemand
from sprout_like.clock import Clock, SystemClock
from sprout_like.feed import Feed, Live, ObservedLedger
from sprout_like.grids import open_grid
from sprout_like.jobs.engines.engine import BatchEngine
from sprout_like.jobs.engines.opening import open_batch_engine
from sprout_like.jobs.queue import open_queue
from sprout_like.jobs.submitting.models import model_in_queue
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.jobs.working.worker import Progress, Worker
from sprout_like.ledger import idle_engine, open_ledger
from sprout_like.meters import open_accounts
from sprout_like.policies import open_catalogue, open_policy
from sprout_like.settings import Settings
from sprout_like.settlement.intensity_log import IntensityLog

__all__ = ["opened_worker"]


@contextlib.contextmanager
def opened_worker(
    settings: Settings,
    *,
    model: str | None = None,
    engine: str | BatchEngine = "auto",
    batch_size: int | None = None,
    at_once: bool = False,
    heard: Callable[[Progress], object] = lambda _: None,
    clock: Clock | None = None,
) -> Iterator[Worker]:
    """A worker on the settings' ledger, grid and meter; everything is closed at the end.

    Args:
        settings: resolved settings.
        model: name or folder of the model; None for the demonstration's, or the only one that a server has.
        engine: `auto`, `padded`, `continuous`, `openai`, `ray`, or an engine.
        batch_size: items at a time; None lets the engine's measured best decide.
        at_once: whether to heed no plan.
        heard: told of each change.
        clock: time, for tests.

    Raises:
        SettingError: something that the settings name cannot be used.
        JobError: the model is neither a folder nor a name.
        LedgerError: the ledger cannot be used.
        grid.GridError: the zone or the source is unknown.
    """
    clock = clock or SystemClock()
    if model is not None and engine != "openai":  # a server's names are its own
        model = model_in_queue(model)
    catalogue = open_catalogue(settings)
    with contextlib.ExitStack() as opened:
        queue = open_queue(settings.ledger_spec, clock=clock, attempts=settings.job_attempts, create=True)
        opened.callback(queue.close)
        grid = open_grid(settings, now_utc=clock.now_utc)
        opened.callback(grid.close)
        kept = open_ledger(settings.ledger_spec, spool_path=settings.spool, clock=clock)
        opened.callback(kept.close)
        feed = Feed()
        opened.callback(feed.close)
        ledger = ObservedLedger(kept, feed)
        accounts = open_accounts(settings.meter, settings=settings, clock=clock)
        batch_engine = open_batch_engine(engine, model=model, settings=settings) if isinstance(engine, str) else engine
        opened.callback(batch_engine.close)
        grid.prime()
        accounts.attach(ledger.append, owner=ledger.name)
        opened.callback(accounts.detach, ledger.name, ledger.append)
        live = _live_policy(settings, catalogue, batch_engine, grid, clock)
        opened.callback(live.close)
        asking = Background({"grid": grid.refresh_if_due}, patient=False)
        opened.callback(asking.close)
        ticking = Background(
            {
                "ledger": ledger.tick,
                "accounts": accounts.tick,
                "intensities": IntensityLog(grid, ledger).tick,
                "policy": live.tick,
            }
        )
        opened.callback(ticking.close)
        parts = WorkingParts(
            settings=settings,
            queue=queue,
            engine=batch_engine,
            grid=grid,
            catalogue=catalogue,
            open_policy=functools.partial(_policy, catalogue=catalogue, settings=settings, live=live),
            ledger=ledger,
            accounts=accounts,
            clock=clock,
            rng=Random(),
            session_id=uuid.uuid4().hex,
        )
        if settings.metrics_port is not None:
            from sprout_like.exports.prometheus import start_metrics

            followed = _Followed(Live(feed, grid, kept, None, batch_engine.model, accounts.meter_name))
            start_metrics(followed, settings.metrics_port)
        yield Worker(parts, batch_size=batch_size, at_once=at_once, heard=heard)


class _Followed(NamedTuple):
    live: Live


def _policy(spec: str, *, catalogue: Any, settings: Settings, live: OnDemand) -> Policy:
    return open_policy(spec, catalogue, settings, contextual=live.policy)


def _live_policy(settings: Settings, catalogue: Any, engine: BatchEngine, grid: Grid, clock: Clock) -> OnDemand:
    return OnDemand(
        settings=settings,
        catalogue=catalogue,
        model=None,
        engine=_Fitting(engine),
        grid=grid,
        database=functools.partial(idle_engine, settings.ledger_spec),
        clock=clock,
    )


class _Fitting:
    """What a live policy asks of an engine: a batch engine says of each prompt what fits, not of the model."""

    def __init__(self, engine: BatchEngine) -> None:
        self.model = engine.model

    def misfit(self, directive: Directive) -> str | None:  # noqa: ARG002
        """Nothing is ruled out beforehand."""
        return None
