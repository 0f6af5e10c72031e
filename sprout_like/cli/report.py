"""`sprout-like report`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer

from sprout_like.cli.moment import moment
from sprout_like.reports.grouping import GroupBy

__all__ = ["report"]


def report(
    by: Annotated[GroupBy, typer.Option(help="What a line stands for; days are UTC days.")] = "directive",
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="First moment, UTC: 2026-03-01T18:30.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="The moment after the last, UTC.")
    ] = None,
    output: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How to print it.")] = "table",
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
) -> None:
    """What was used, emitted and saved."""
    from sprout_like.cli.opening import configured, reading
    from sprout_like.errors import SettingError
    from sprout_like.reports import render
    from sprout_like.reports.policies import with_policies
    from sprout_like.reports.summary import summarise

    if since is not None and until is not None and since >= until:
        raise SettingError("--until", "the span ends before it begins", "Give a moment after --since")
    with reading(ledger) as engine:
        summary = with_policies(summarise(engine, by=by, since_utc=since, until_utc=until), engine, configured(ledger))
    match output:
        case "json":
            typer.echo(render.as_json(summary))
        case "csv":
            typer.echo(render.as_csv(summary), nl=False)
        case "table":
            from rich.console import Console

            Console(emoji=False).print(render.as_table(summary), highlight=False)
