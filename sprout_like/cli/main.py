"""`sprout-like` as it is started: the one place where errors become a line and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from typer import TyperException

__all__ = ["run"]

FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130

_OF_PYDANTIC: Final = "Value error, "
"""What pydantic, by which Typer checks options, puts before the words of a check of ours or Typer's."""


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
        # Imported here, as it takes long enough for a Ctrl-C to come in between.
        import typer

        from directives import DirectiveError
        from grid import GridError
        from sprout_like.cli.commands import app
        from sprout_like.errors import SproutError

        # In its other mode Typer prints its own errors, in four lines.
        code = app(args=arguments, prog_name="sprout-like", standalone_mode=False)
    except KeyboardInterrupt:  # first: it can come before the names below are there
        sys.exit(INTERRUPTED)
    except typer.TyperException as exc:
        problem = exc.format_message().replace(_OF_PYDANTIC, "").rstrip(".")
        _fail(f"{problem}{'' if problem.endswith('?') else '.'} {_help_hint(exc)}")
    except (SproutError, GridError, DirectiveError) as exc:
        _fail(str(exc))
    except OSError as exc:
        _drop_output()
        _fail(f"{exc.filename or 'output'}: {exc.strerror or exc}; name another, or make room for it", FAILED)
    sys.exit(code or 0)


def _fail(message: str, code: int = WRONG_INPUT) -> NoReturn:
    import typer

    from sprout_like.printable import printable

    typer.echo(f"error: {printable(' '.join(message.split()))}", err=True)
    sys.exit(code)


def _drop_output() -> None:
    """What could not be written is not to be tried again as the interpreter ends, which would say so once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _help_hint(exc: TyperException) -> str:
    context = getattr(exc, "ctx", None)
    return f"See `{context.command_path if context else 'sprout-like'} --help`"
