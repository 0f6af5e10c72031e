"""`sprout-like judge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from grid import Grid
    from sprout_like.clock import Clock

__all__ = ["judge"]


def judge(
    prompts: Annotated[
        Path | None,
        typer.Argument(
            metavar="PROMPTS", help="File of prompts, .jsonl or .txt.  [default: the sample of the traffic]"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="The model.  [default: SmolLM2-135M-Instruct, as in the demo]"),
    ] = None,
    judged_by: Annotated[
        str | None,
        typer.Option(
            "--judge",
            metavar="JUDGE",
            help="endpoint:MODEL, local:FOLDER, exact, numeric, contains or FILE.py:FUNCTION.  [default: as set]",
        ),
    ] = None,
    directives: Annotated[
        str | None,
        typer.Option(metavar="NAME,…", help="Directives to judge.  [default: all whose answers may be worse]"),
    ] = None,
    max_prompts: Annotated[int | None, typer.Option(min=1, help="Prompts asked at most.  [default: all]")] = None,
    half_width: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="Half-width of the interval at which enough is known.")
    ] = 0.05,
    limit_tokens: Annotated[
        int, typer.Option(min=1, max=1 << 20, help="Limit on new tokens of prompts in the file that name none.")
    ] = 512,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a moment that is clean, idle and due.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of the prompts' order.  [default: another each time]")] = None,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the same data to this file.")
    ] = None,
) -> None:
    """Judge each directive's answers beside those of full.

    Stops early where enough is known. Its energy is charged to the ledger. Ctrl-C keeps what was judged; exit code 130.
    """
    from contextlib import closing

    from rich.console import Console

    from directives.evaluation import Sampling
    from sprout_like.calibrate.model import load_model
    from sprout_like.cli.opening import configured
    from sprout_like.clock import SystemClock
    from sprout_like.errors import SettingError
    from sprout_like.evaluating.prompts_file import read_prompts
    from sprout_like.evaluating.show import Order, judged_directives, show
    from sprout_like.grids import open_grid
    from sprout_like.judges.opening import open_judge
    from sprout_like.meters import open_accounts
    from sprout_like.policies import open_catalogue
    from sprout_like.whole_file import check_replaceable

    console, clock = Console(emoji=False), SystemClock()
    settings = configured(ledger)
    check_replaceable("--json", json_file)
    names = [name.strip() for name in (directives or "").split(",") if name.strip()]
    catalogue = open_catalogue(settings)
    judged_directives(catalogue, names)
    asked = None if prompts is None else read_prompts(prompts, limit_tokens=limit_tokens)
    spec = judged_by or settings.judge
    if spec is None:
        raise SettingError("judge", "no judge is named", "Give --judge, such as numeric or endpoint:MODEL")
    opened_judge = open_judge(spec, settings, accounts=open_accounts(settings.meter, settings=settings, clock=clock))
    sampling = Sampling(
        half_width=half_width,
        floor=1.0 if settings.floor is None else settings.floor,  # where quality has a price, all below full matters
        confidence=settings.confidence,
    )
    with closing(open_grid(settings, now_utc=clock.now_utc)) as grid:
        reason = _waited(ledger, grid, clock, catalogue.version) if wait else "asked for"
        order = Order(
            prompts=asked,
            directives=tuple(names),
            sampling=sampling,
            most_prompts=max_prompts,
            seed=seed,
            reason=reason,
        )
        finished = show(
            console,
            settings,
            order,
            catalogue=catalogue,
            judge=opened_judge,
            grid=grid,
            load_model=lambda: load_model(model),
            clock=clock,
            json_file=json_file,
        )
    if not finished:
        raise typer.Exit(130)


def _waited(ledger: str | None, grid: Grid, clock: Clock, catalogue_version: str) -> str:
    """Why it is time now."""
    import time

    from sprout_like.cli.opening import reading
    from sprout_like.cli.waiting import waiting_for
    from sprout_like.evaluating.when import Occasion, wait_until_due

    with reading(ledger) as engine, waiting_for("a low of the grid with capacity to spare"):
        occasion = Occasion(grid, engine, clock, catalogue_version=catalogue_version)
        return wait_until_due(occasion, sleep=time.sleep)
