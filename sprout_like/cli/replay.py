"""`sprout-like replay`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["replay"]


def replay(
    requests: Annotated[Path, typer.Option(metavar="PARQUET", help="Requests that were measured and judged.")],
    trace: Annotated[Path, typer.Option(metavar="FILE", help="Hourly intensities: .csv, .csv.gz or .parquet.")],
    mix: Annotated[Path, typer.Option(metavar="CSV", help="Share of each task in each hour.")],
    policy: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="contextual, sprout, oracle, static, threshold, co2opt, full or another directive."
        ),
    ] = "contextual",
    start_hour: Annotated[int, typer.Option(help="Hour of the trace at which the window begins.")] = 0,
    hours: Annotated[int, typer.Option(help="Length of the window.")] = 720,
    floor_slack: Annotated[float, typer.Option(help="Share of the quality of `full` that may be given up.")] = 0.1,
    mean_slack: Annotated[
        float | None,
        typer.Option(help="Likewise over time, by contextual.  [default: as much; with --context none, half of it]"),
    ] = None,
    context: Annotated[
        Literal["task", "text", "none"],
        typer.Option(help="What contextual can tell of a request: its tag, a class inferred from its text, nothing."),
    ] = "task",
    requests_per_hour: Annotated[int, typer.Option(help="Requests served in each hour.")] = 10_000,
    control_share: Annotated[float, typer.Option(help="Share that contextual always serves `full`.")] = 0.005,
    confidence: Annotated[float, typer.Option(help="Probability with which contextual is to hold the floor.")] = 0.996,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 0,
    column: Annotated[str, typer.Option(help="Column of the trace.")] = "direct_g_per_kwh",
    year_min: Annotated[
        float | None, typer.Option(help="Lowest intensity of the year, for sprout.  [default: see docs/replay.md]")
    ] = None,
    year_max: Annotated[float | None, typer.Option(help="Highest intensity of the year, likewise.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write all figures here.")] = None,
    plot_file: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw one week of intensity, directives and quality."),
    ] = None,
    plot_schemes: Annotated[
        Path | None,
        typer.Option(
            "--plot-schemes",
            metavar="FILE",
            help="Draw saving against quality for all policies; takes minutes.",
        ),
    ] = None,
) -> None:
    """Show what a policy would have saved on recorded requests."""
    from sprout_like.calibrate.plot import check_plot
    from sprout_like.replay.render import as_json, as_text
    from sprout_like.replay.run import Order, run
    from sprout_like.whole_file import check_replaceable

    order = Order(
        requests=requests,
        trace=trace,
        mix=mix,
        policy=policy,
        start_hour=start_hour,
        hours=hours,
        floor_slack=floor_slack,
        mean_slack=mean_slack,
        context=context,
        requests_per_hour=requests_per_hour,
        control_share=control_share,
        confidence=confidence,
        seed=seed,
        column=column,
        year_min=year_min,
        year_max=year_max,
    )
    plots = (("--plot", plot_file), ("--plot-schemes", plot_schemes))
    for option, file in plots:
        if file is not None:
            check_plot(file, option=option)
    for option, file in (("--json", json_file), *plots):
        check_replaceable(option, file)
    with _working() as say:
        say(policy)
        replayed = run(order)
        if json_file is not None:
            json_file.write_text(as_json(replayed), "utf-8")
        if plot_file is not None:
            from sprout_like.replay.plot import plot_week

            plot_week(replayed, plot_file)
        if plot_schemes is not None:
            from sprout_like.replay.plot import plot_schemes as draw
            from sprout_like.replay.sweep import sweep

            draw(sweep(order, say), floor_slack, plot_schemes)
    typer.echo(as_text(replayed))


@contextmanager
def _working() -> Iterator[Callable[[str], None]]:
    """Says on stderr what is replayed; nothing where nobody looks on, in a file or a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("") as status:
        yield lambda what: status.update(Text(f"replaying {what}"))
