"""`sprout-like tune`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from sprout_like.cli.moment import moment

__all__ = ["tune"]


def tune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=moment, metavar="MOMENT", help="Only requests since then, UTC.  [default: the last 30 days of them]"
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model, as in the ledger.  [default: the only one]")
    ] = None,
    floor: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least quality, as a share of full's.  [default: the setting `floor`]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
) -> None:
    """Make the next policy from the ledger.

    What it would change is estimated from the logged propensities first. It is promoted if the lower bound of its
    quality holds the floor and it surely emits less; a running middleware then picks it up by itself.
    """
    from sprout_like.cli.opening import configured, reading
    from sprout_like.clock import SystemClock
    from sprout_like.policies import open_catalogue
    from sprout_like.reports.machine import to_json
    from sprout_like.tuning.propose import tune as tune_ledger
    from sprout_like.tuning.show import proposal_data, proposed

    settings = configured(ledger).replaced(floor=floor)
    with reading(ledger) as engine:
        proposal = tune_ledger(
            engine,
            settings,
            open_catalogue(settings),
            now_utc=SystemClock().now_utc(),
            model=model,
            since_utc=since,
            dry_run=dry_run,
        )
    if as_json:
        typer.echo(to_json(proposal_data(proposal)))
    else:
        from rich.console import Console

        Console(emoji=False).print(proposed(proposal), highlight=False)
