"""`sprout-like ledger …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from sprout_like.cli.moment import moment

__all__ = ["ledger"]

ledger = typer.Typer(rich_markup_mode=None)

_LedgerOption = Annotated[
    str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
]


@ledger.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Check that the ledger adds up, settle it, send what waits."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@ledger.command()
def check(
    ledger_spec: _LedgerOption = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="How far a sum of energies may be off.")
    ] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Prove that every sum and every row is right.

    The parts must add up to the devices' counters, per account and hour, and each row's carbon to its energy. Exit
    code 1 if something does not.
    """
    from sprout_like.cli.opening import pending_rows, reading
    from sprout_like.ledger.check import check as check_ledger
    from sprout_like.reports.checked import as_json as to_json
    from sprout_like.reports.checked import as_table

    with reading(ledger_spec) as engine:
        report = check_ledger(engine, tolerance=tolerance, pending=pending_rows(ledger_spec))
    if as_json:
        typer.echo(to_json(report))
    else:
        from rich.console import Console

        Console(emoji=False).print(as_table(report, tolerance), highlight=False)
    if not report.ok:
        raise typer.Exit(1)


@ledger.command()
def settle(
    ledger_spec: _LedgerOption = None,
    grid: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Whom to ask for actuals.  [default: the setting `grid`]")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Only requests of this zone.  [default: all zones]")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="Only requests since then, UTC.")
    ] = None,
    accept_estimated: Annotated[
        bool, typer.Option("--accept-estimated", help="Take an estimate where no actual is published.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again for what is settled, as actuals get corrected.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Put published actuals beside provisional intensities.

    Reports then go by the actuals, and what was logged stays. A request is settled by actuals of its own zone, kind
    and factors that cover its whole time: the ledger's own come first, then those of the source. Exit code 1 if the
    source failed.
    """
    from grid import resolve_zone
    from sprout_like.cli.opening import configured, reading
    from sprout_like.cli.waiting import waiting_for
    from sprout_like.grids import opened_grid_source
    from sprout_like.ledger.settlements import DryRun, Settlements
    from sprout_like.reports.settled import as_json as to_json
    from sprout_like.reports.settled import as_table
    from sprout_like.settlement.figures import Scope
    from sprout_like.settlement.settle import settle as settle_ledger

    settings = configured(ledger_spec, grid=grid, zone=zone)
    with reading(ledger_spec) as engine, opened_grid_source(settings) as source, waiting_for(source.name):
        report = settle_ledger(
            (DryRun if dry_run else Settlements)(engine),
            source,
            scope=Scope(zone=None if zone is None else resolve_zone(zone), since_utc=since),
            accept_estimated=accept_estimated,
            refresh=refresh,
            dry_run=dry_run,
        )
    if as_json:
        typer.echo(to_json(report))
    else:
        from rich.console import Console

        Console(emoji=False).print(as_table(report), highlight=False)
    if report.problem is not None:
        raise typer.Exit(1)


@ledger.command()
def flush(ledger_spec: _LedgerOption = None) -> None:
    """Send rows that wait in the spool to the database.

    Exit code 1 if some still wait.
    """
    from sprout_like.cli.opening import configured, pending_rows, reading

    waiting = pending_rows(ledger_spec)
    if waiting == 0:
        with reading(ledger_spec):  # else a name that was mistyped would have its rows in a database that is not there
            pass
    else:
        from sprout_like.ledger import open_ledger

        settings = configured(ledger_spec)
        opened = open_ledger(settings.ledger_spec, spool_path=settings.spool)
        waiting = opened.flush()
        opened.close()
    typer.echo(f"rows still waiting: {waiting}" if waiting else "nothing waits: every row is in the database")
    if waiting:
        raise typer.Exit(1)


@ledger.command("roll-up")
def roll_up(ledger_spec: _LedgerOption = None) -> None:
    """Add up the requests of each hour that is over.

    Reports then read the sums. They and the dashboard do this by themselves; for a large ledger it can be done ahead.
    Exit code 1 if it cannot write here, or not now.
    """
    from sprout_like.cli.opening import reading
    from sprout_like.cli.rolling import rolled_up

    with reading(ledger_spec) as engine:
        outcome = rolled_up(engine)
    typer.echo(
        f"hours added up: {outcome.hours_n:,} ({outcome.requests_n:,} requests in {outcome.lines_n:,} lines); "
        f"still to be read row by row: {outcome.left_n:,}"
    )
    if outcome.saves_little:
        typer.echo("Most requests are a line of their own, as one with a tag for each user is: such sums save no time.")
    match outcome.ended:
        case "read_only":
            typer.echo("This user may only read here: reports read the rows.", err=True)
            raise typer.Exit(1)
        case "busy":
            typer.echo("Somebody else was writing for too long: run this again.", err=True)
            raise typer.Exit(1)
