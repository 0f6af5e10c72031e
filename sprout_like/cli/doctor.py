"""`sprout-like doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["doctor"]

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    model: Annotated[Path | None, typer.Option(help="Folder of a model whose family is to be judged too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Which parts are in use, what is missing and how to fix it.

    Nothing is written. Exit code 1 if something does not work.
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.text import Text

    from sprout_like.cli.quiet import quiet_grid_log
    from sprout_like.doctor.examine import examine
    from sprout_like.reports.machine import to_json

    console = Console(emoji=False)
    findings = []
    with quiet_grid_log():  # what it would warn of is among the findings
        for finding in examine(model):
            findings.append(finding)
            if not as_json:
                console.print(
                    Text(_MARKS[finding.state], style=_STYLES[finding.state]),
                    f" {finding.part:<9}",
                    finding.found,
                    sep="",
                    highlight=False,
                    soft_wrap=True,
                    markup=False,
                )
                if finding.fix:
                    console.print(f"{'':15}→ {finding.fix}", highlight=False, soft_wrap=True, markup=False)
    if as_json:
        typer.echo(to_json({"findings": [asdict(finding) for finding in findings]}))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)
