"""`sprout-like prompts`: the sample of the traffic that is kept for judging."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["prompts"]

prompts = typer.Typer(rich_markup_mode=None)

_Ledger = Annotated[str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")]


@prompts.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """The prompts of the traffic that are kept for judging."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@prompts.command("list")
def list_(
    show: Annotated[bool, typer.Option("--show", help="Print the texts too: prompts and answers.")] = False,
    ledger: _Ledger = None,
) -> None:
    """How many are kept, of which tasks, and when the first expires. What has expired is deleted before."""
    from rich.console import Console

    from sprout_like.cli.opening import reading
    from sprout_like.clock import SystemClock
    from sprout_like.evaluating.kept import count_kept, forget, kept_rows
    from sprout_like.evaluating.render_kept import counts, texts

    console = Console(emoji=False)
    with reading(ledger) as engine:
        forget(engine, expired_utc=SystemClock().now_utc())
        console.print(counts(count_kept(engine)), highlight=False)
        if show:
            for line in texts(kept_rows(engine)):
                console.print(line, highlight=False, soft_wrap=True)


@prompts.command()
def purge(
    expired: Annotated[bool, typer.Option("--expired", help="Delete those alone whose time is up.")] = False,
    ledger: _Ledger = None,
) -> None:
    """Delete the kept prompts and answers.

    Verdicts stay; they hold no text.
    """
    from sprout_like.cli.opening import reading
    from sprout_like.clock import SystemClock
    from sprout_like.evaluating.kept import forget

    with reading(ledger) as engine:
        gone = forget(engine, expired_utc=SystemClock().now_utc() if expired else None)
    typer.echo(f"{gone} prompts deleted.")
