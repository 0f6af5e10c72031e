"""`sprout-like export …`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sprout_like.cli.moment import moment

__all__ = ["export"]

export = typer.Typer(rich_markup_mode=None)


@export.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Write files for other tools.

    While a program runs, it is followed by Prometheus, OpenTelemetry or a log: see docs/exports.md.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@export.command()
def codecarbon(
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="First moment, UTC: 2026-03-01T18:30.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="The moment after the last, UTC.")
    ] = None,
    per: Annotated[
        Literal["request", "session", "day"], typer.Option(help="What a line stands for; days are UTC days.")
    ] = "request",
    project: Annotated[str, typer.Option(help="CodeCarbon's project_name.")] = "sprout-like",
    known_only: Annotated[
        bool,
        typer.Option("--known-only", help="Leave out requests of unknown energy or emissions, as carbonboard needs."),
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it.  [default: print it]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
) -> None:
    """The requests as CodeCarbon's emissions.csv."""
    import io
    import sys

    from sprout_like.cli.opening import configured, reading
    from sprout_like.errors import SettingError
    from sprout_like.exports.codecarbon import write_codecarbon
    from sprout_like.ledger.address import file_of
    from sprout_like.ledger.open import ledger_address
    from sprout_like.whole_file import check_writable, whole_file

    if since is not None and until is not None and since >= until:
        raise SettingError("--until", "the span ends before it begins", "Give a moment after --since")
    if out is not None:
        check_writable(out, force=force, ledger=file_of(ledger_address(configured(ledger).ledger_spec)))
    asked: dict[str, Any] = {"per": per, "since_utc": since, "until_utc": until, "project": project}
    asked["known_only"] = known_only
    with reading(ledger) as engine:
        if out is None:
            write_codecarbon(engine, sys.stdout, **asked)
            return
        with whole_file(out, force=force) as stream:
            file = io.TextIOWrapper(stream, encoding="utf-8", newline="")
            lines_n = write_codecarbon(engine, file, **asked)
            file.detach()
    typer.echo(f"{out}: {lines_n} line{'' if lines_n == 1 else 's'}")


@export.command()
def grafana(
    source: Annotated[
        Literal["prometheus", "postgresql"], typer.Option(help="Where Grafana has the figures from.")
    ] = "prometheus",
) -> None:
    """A dashboard, as JSON for Grafana's import."""
    from sprout_like.exports.grafana import dashboard

    typer.echo(dashboard(source), nl=False)
