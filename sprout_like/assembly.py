"""From names, URLs and objects to the parts of one `CarbonAware`; each part is opened where its own folder says how."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from random import Random
from typing import Any

from directives import Uniform
from grid import Grid
from sprout_like.choosing.opening import OnDemand
from sprout_like.classes.opening import open_inference
from sprout_like.clock import Clock, SystemClock
from sprout_like.engines.opening import open_engine
from sprout_like.evaluating.opening import open_sampler
from sprout_like.grids import close_grid, open_grid, prime_grid
from sprout_like.jobs.aware import LazyQueue
from sprout_like.ledger import idle_engine, open_ledger
from sprout_like.meters import open_accounts
from sprout_like.parts import Parts
from sprout_like.policies import check_policy, open_catalogue, open_policy
from sprout_like.reuse.opening import open_answers
from sprout_like.settings import Settings

__all__ = ["assemble"]


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
    infer_task = open_inference(settings)
    with contextlib.ExitStack() as opened:
        opened_grid = grid if isinstance(grid, Grid) else open_grid(settings, grid, now_utc=clock.now_utc)
        ledger_spec = settings.ledger_spec if ledger is None else ledger
        opened_ledger = open_ledger(ledger_spec, spool_path=settings.spool)
        # What was given may be somebody else's too; only what was opened here is closed here.
        if opened_grid is not grid:
            opened.callback(close_grid, opened_grid)
        if opened_ledger is not ledger:
            opened.callback(opened_ledger.close)
        database = None if opened_ledger is ledger_spec else functools.partial(idle_engine, ledger_spec)
        answers = open_answers(settings, database, clock)
        if answers is not None:
            opened.callback(answers.close)
        engine = open_engine(
            engine,
            model,
            tokenizer,
            settings=settings,
            catalogue=catalogue,
            variants=variants or {},
            answers=answers,
            clock=clock,
            opened=opened,
        )
        accounts = open_accounts(settings.meter if meter is None else meter, settings=settings, clock=clock)
        prime_grid(opened_grid, settings.grid_wait_s)
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


def _text(part: Any) -> str | None:
    """What a part's setting becomes when the part is given: its name, or nothing where it is an object."""
    return part if isinstance(part, str) else None
