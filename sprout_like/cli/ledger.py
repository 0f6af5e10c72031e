"""`sprout-like ledger …`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["ledger"]

ledger = typer.Typer(rich_markup_mode=None)

_LedgerOption = Annotated[
    str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
]


@ledger.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Check that the ledger adds up, or send rows that wait."""
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
def flush(ledger_spec: _LedgerOption = None) -> None:
    """Send rows that wait in the spool to the database.

    Exit code 1 if some still wait.
    """
    from sprout_like.cli.opening import configured
    from sprout_like.ledger import open_ledger

    settings = configured(ledger_spec)
    opened = open_ledger(settings.ledger_spec, spool_path=settings.spool)
    waiting = opened.flush()
    opened.close()
    typer.echo(f"rows still waiting: {waiting}" if waiting else "nothing waits: every row is in the database")
    if waiting:
        raise typer.Exit(1)
