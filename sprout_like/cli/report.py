"""`sprout-like report`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    by: Annotated[
        str, typer.Option(help="directive, day, model, zone, task, policy, energy_method, meter or status.")
    ] = "directive",
    since: Annotated[datetime | None, typer.Option(help="First moment, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="The moment after the last, UTC.")] = None,
    output: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
    ledger: Annotated[str | None, typer.Option(help="Database URL or SQLite file; default: the setting.")] = None,
) -> None:
    """What was used, emitted and saved."""
    from sprout_like.cli.opening import read_engine
    from sprout_like.errors import SettingError
    from sprout_like.reports import render
    from sprout_like.reports.summary import summarise

    if output not in ("table", "json", "csv"):
        raise SettingError("--format", f"{output!r} is not a format", "Use table, json or csv")
    engine = read_engine(ledger)
    try:
        summary = summarise(engine, by=by, since_utc=_utc(since), until_utc=_utc(until))  # type: ignore[arg-type]
    except ValueError as exc:
        raise SettingError("--by", str(exc), "Correct the option") from None
    finally:
        engine.dispose()
    if output == "table":
        from rich.console import Console

        Console(emoji=False).print(render.as_table(summary), highlight=False)
    else:
        typer.echo(render.as_json(summary) if output == "json" else render.as_csv(summary), nl=output == "json")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
