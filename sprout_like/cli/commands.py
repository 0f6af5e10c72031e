"""`sprout-like`: which commands there are."""

from __future__ import annotations

from typing import Annotated

import typer

from sprout_like.cli.calibrate import calibrate
from sprout_like.cli.classes import classes
from sprout_like.cli.dashboard import dashboard
from sprout_like.cli.demo import demo
from sprout_like.cli.doctor import doctor
from sprout_like.cli.export import export
from sprout_like.cli.grid.commands import grid
from sprout_like.cli.jobs.commands import jobs
from sprout_like.cli.judge import judge
from sprout_like.cli.ledger import ledger
from sprout_like.cli.policy import policy
from sprout_like.cli.prompts import prompts
from sprout_like.cli.replay import replay
from sprout_like.cli.report import report
from sprout_like.cli.tune import tune

__all__ = ["app"]

app = typer.Typer(
    name="sprout-like",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(doctor)
app.command()(calibrate)
app.command()(judge)
app.command()(tune)
app.command()(replay)
app.command()(dashboard)
app.add_typer(export, name="export")
app.add_typer(grid, name="grid")
app.add_typer(jobs, name="jobs")
app.add_typer(ledger, name="ledger")
app.add_typer(policy, name="policy")
app.add_typer(prompts, name="prompts")
app.add_typer(report, name="report")
app.add_typer(classes, name="classes")


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Carbon-aware generation for Hugging Face models: measured energy, carbon per request."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"sprout-like {installed('sprout-like')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
