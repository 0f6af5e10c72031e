"""`sprout-like`: the commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

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

__all__ = ["app", "run"]

FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130

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


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point. What the user got wrong is one line on stderr and exit code 2; Ctrl-C is exit code 130.

    A file or an output that cannot be used is one line and exit code 1; a pipe that is closed is the code alone.

    Args:
        arguments: the command line; None for this process' own.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # where an encoding has no ± or –, an escape is better than no report
            stream.reconfigure(errors="backslashreplace")
    try:
        from directives import DirectiveError
        from grid import GridError
        from sprout_like.errors import SproutError

        # In its other mode Typer prints its own errors, in four lines.
        code = app(args=arguments, prog_name="sprout-like", standalone_mode=False)
    except KeyboardInterrupt:  # first: it can come before the names below are there
        sys.exit(INTERRUPTED)
    except typer.TyperException as exc:
        _fail(f"{exc.format_message().rstrip('.')}. {_help_hint(exc)}")
    except (SproutError, GridError, DirectiveError) as exc:
        _fail(str(exc))
    except OSError as exc:
        _drop_output()
        _fail(f"{exc.filename or 'output'}: {exc.strerror or exc}; name another, or make room for it", FAILED)
    sys.exit(code or 0)


def _fail(message: str, code: int = WRONG_INPUT) -> NoReturn:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _drop_output() -> None:
    """What could not be written is not to be tried again as the interpreter ends, which would say so once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _help_hint(exc: typer.TyperException) -> str:
    context: typer.Context | None = getattr(exc, "ctx", None)
    return f"See `{context.command_path if context else 'sprout-like'} --help`"
