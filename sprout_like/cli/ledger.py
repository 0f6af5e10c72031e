"""`sprout-like ledger …`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["ledger"]

ledger = typer.Typer(help="Look after the ledger.", no_args_is_help=True, rich_markup_mode=None)

_LedgerOption = Annotated[
    str | None, typer.Option("--ledger", help="Database URL or SQLite file; default: the setting.")
]


@ledger.command()
def check(
    ledger_spec: _LedgerOption = None,
    tolerance: Annotated[float, typer.Option(help="How far a sum of energies may be off, as a share.")] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Prove that the parts add up to the counters and that every row's arithmetic is right; exit code 1 if not."""
    from sprout_like.cli.opening import pending_rows, read_engine
    from sprout_like.ledger.check import check as check_ledger
    from sprout_like.reports.checked import as_json as to_json
    from sprout_like.reports.checked import as_table

    engine = read_engine(ledger_spec)
    try:
        report = check_ledger(engine, tolerance=tolerance, pending=pending_rows(ledger_spec))
    finally:
        engine.dispose()
    if as_json:
        typer.echo(to_json(report))
    else:
        from rich.console import Console

        Console(emoji=False).print(as_table(report, tolerance), highlight=False)
    if not report.ok:
        raise typer.Exit(1)


@ledger.command()
def flush(ledger_spec: _LedgerOption = None) -> None:
    """Send rows that wait in the spool to the database now; exit code 1 if some still wait."""
    from sprout_like.cli.opening import configured
    from sprout_like.ledger import open_ledger

    settings = configured(ledger_spec)
    opened = open_ledger(settings.ledger_spec, spool_path=settings.spool)
    waiting = opened.flush()
    opened.close()
    typer.echo(f"{waiting} rows still wait" if waiting else "nothing waits: every row is in the database")
    if waiting:
        raise typer.Exit(1)
