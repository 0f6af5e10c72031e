"""`sprout-like`: the commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sprout_like.cli.demo import demo
from sprout_like.cli.doctor import doctor
from sprout_like.cli.ledger import ledger
from sprout_like.cli.report import report

__all__ = ["app", "run"]

app = typer.Typer(
    name="sprout-like",
    help="Carbon-aware generation for Hugging Face models: measured energy, carbon per request.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.command()(report)
app.command()(doctor)
app.add_typer(ledger, name="ledger")


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Carbon-aware generation for Hugging Face models: measured energy, carbon per request."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"sprout-like {installed('sprout-like')}")
        raise typer.Exit


def run() -> None:
    """Entry point. Our own errors are one line on stderr and exit code 2; Ctrl-C is exit code 130."""
    from directives import DirectiveError
    from grid import GridError
    from sprout_like.errors import SproutError

    try:
        app()
    except (SproutError, GridError, DirectiveError) as exc:
        typer.echo(f"error: {exc}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
