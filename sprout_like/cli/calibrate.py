"""`sprout-like calibrate`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = ["calibrate"]

_DEFAULT_S: Final = 600.0
_QUICK_S: Final = 120.0
_SECONDS_PER: Final = {"s": 1, "m": 60, "h": 3600, "": 1}


def calibrate(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="The model.  [default: SmolLM2-135M-Instruct, as in the demo]"),
    ] = None,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer workloads and rounds, in two minutes.")] = False,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Longest time, e.g. 90s, 10m or 1h.  [default: 10m; quick: 2m]")
    ] = None,
    directive: Annotated[
        list[str] | None,
        typer.Option("--directive", metavar="NAME", help="Measure this one alone, beside full; may be repeated."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the same data to this file.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw energy against agreement: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Measure what each directive costs here, and what it changes.

    Runs every directive on several workloads in random order, again and again, until the 95 % intervals are tight or
    the time is spent. Ctrl-C keeps what was measured; exit code 130.
    """
    from rich.console import Console

    from sprout_like.calibrate.grid import DEFAULT, QUICK
    from sprout_like.calibrate.model import gpu_names, load_model
    from sprout_like.calibrate.plot import check_plot
    from sprout_like.calibrate.show import Order, show
    from sprout_like.cli.opening import configured
    from sprout_like.clock import SystemClock
    from sprout_like.whole_file import check_replaceable

    settings = configured(ledger)
    order = Order(
        directives=tuple(directive or ()),
        workloads=QUICK if quick else DEFAULT,
        budget_s=(_QUICK_S if quick else _DEFAULT_S) if budget is None else _seconds(budget),
        least_rounds=2 if quick else 3,
    )
    if plot_file is not None:
        check_plot(plot_file)
    for option, file in (("--json", json_file), ("--plot", plot_file)):
        check_replaceable(option, file)
    finished = show(
        Console(emoji=False),
        settings,
        order,
        load_model=lambda: load_model(model),
        gpu_names=gpu_names,
        clock=SystemClock(),
        json_file=json_file,
        plot_file=plot_file,
    )
    if not finished:
        raise typer.Exit(130)


def _seconds(text: str) -> float:
    """`90s`, `10m`, `1.5h`, or a number of seconds.

    Raises:
        SettingError: it is none of these, or 0.
    """
    from sprout_like.errors import SettingError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    seconds = float(match[1]) * _SECONDS_PER[match[2]] if match else 0.0
    if seconds <= 0:
        raise SettingError("--budget", f"{text!r} is no length of time", "Give one such as 90s, 10m or 1h")
    return seconds
