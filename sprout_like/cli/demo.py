"""`sprout-like demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the ledger and the report go.")] = Path(
        "demo-output"
    ),
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the same data to this file.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use the bundled modelled day at once.")] = False,
) -> None:
    """A real model answers twelve prompts over one day.

    Great Britain's last 24 hours of grid intensity where the source answers within 2 s, else a modelled day. Each
    prompt is also run under `full`, to compare with. Takes about two minutes on two CPU cores.
    """
    from rich.console import Console

    from sprout_like.clock import SystemClock
    from sprout_like.demo.day import load_day
    from sprout_like.demo.show import check_writable, show
    from sprout_like.settings import Settings

    settings = Settings.load()
    check_writable(out, json_file)
    day = load_day(SystemClock().now_utc, offline=offline)
    if not show(Console(emoji=False), day, settings, out=out, json_file=json_file):
        raise typer.Exit(130)
