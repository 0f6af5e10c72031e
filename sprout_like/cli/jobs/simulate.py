"""`sprout-like jobs simulate`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sprout_like.cli.moment import moment

__all__ = ["simulate"]


def simulate(
    trace: Annotated[
        list[Path], typer.Option(metavar="FILE", help="Intensities: .csv, .csv.gz or .parquet; again for more zones.")
    ],
    zone: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Zone of each trace.  [default: from the file's name]")
    ] = None,
    jobs: Annotated[
        str, typer.Option(metavar="N|JSONL", help="How many to make up, or a file of them; see docs/jobs.md.")
    ] = "1000",
    deadline_hours: Annotated[
        str, typer.Option(metavar="H,H…", help="Hours from submission to deadline.")
    ] = "6,12,24,48",
    duration_hours: Annotated[str, typer.Option(metavar="H,H…", help="Hours of work of a job.")] = "0.5,1,2",
    shared: Annotated[
        bool, typer.Option("--shared", help="All jobs share one worker a zone, instead of one each.")
    ] = False,
    start: Annotated[
        datetime | None,
        typer.Option(metavar="WHEN", parser=moment, help="Where to begin.  [default: after two weeks of the trace]"),
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long.  [default: to the trace's end]")] = None,
    power_w: Annotated[float, typer.Option(help="Draw of a worker at work.")] = 300.0,
    idle_w: Annotated[float, typer.Option(help="Draw of a worker with a loaded model and nothing to do.")] = 60.0,
    start_up_s: Annotated[float, typer.Option(help="Time that loading takes at each start.")] = 60.0,
    margin: Annotated[float, typer.Option(help="Time kept free before a deadline, as a share of the work.")] = 0.1,
    column: Annotated[str, typer.Option(help="Column of the traces.")] = "direct_g_per_kwh",
    seed: Annotated[int, typer.Option(help="Of the jobs that are made up.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write all figures here.")] = None,
) -> None:
    """Show what waiting would have saved on traces of the past."""
    from sprout_like.jobs.simulating import Order, as_json, as_text
    from sprout_like.jobs.simulating import simulate as run
    from sprout_like.whole_file import check_replaceable

    order = Order(
        traces=tuple(trace),
        zones=tuple(zone or ()),
        jobs=_number_or_file(jobs),
        deadline_hours=_hours("--deadline-hours", deadline_hours),
        duration_hours=_hours("--duration-hours", duration_hours),
        shared=shared,
        start=start,
        days=days,
        power_w=power_w,
        idle_w=idle_w,
        start_up_s=start_up_s,
        margin=margin,
        column=column,
        seed=seed,
    )
    check_replaceable("--json", json_file)
    report = run(order)
    if json_file is not None:
        json_file.write_text(as_json(report), "utf-8")
    typer.echo(as_text(report))


def _number_or_file(text: str) -> int | Path:
    try:
        return int(text)
    except ValueError:
        return Path(text)


def _hours(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of hours; write 6,12,24", param_hint=option) from None
