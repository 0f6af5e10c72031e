"""One job in full: what was asked for, the plan, the runs, what failed; never a text of a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.cli.grid.screen import facts_text
from sprout_like.cli.grid.times import Times
from sprout_like.cli.jobs.facts import joules, of_what, progress, saving, used
from sprout_like.jobs.job import Planned, Run
from sprout_like.jobs.showing.view import View
from sprout_like.printable import printable
from sprout_like.reports.figures import grams, number
from sprout_like.reports.whole import Whole

__all__ = ["shown"]

_MOST: Final = 12
"""Spans that are listed: the next of the plan, the last of the runs."""


def shown(view: View, times: Times, width: int) -> RenderableType:
    """For a terminal that is `width` characters wide."""
    return Group(
        Text(f"{view.job.job_id}: {view.state}", style="bold"),
        facts_text([*progress(view, times), *of_what(view, times)], width),
        Text(),
        facts_text([*used(view), *saving(view)], width),
        *_planned(view.planned, times),
        *_runs(view.runs, times),
        *_failed(view),
    )


def _planned(spans: Sequence[Planned], times: Times) -> Iterator[RenderableType]:
    if not spans:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("from", "to", "zone", "worker"):
        table.add_column(name, no_wrap=True)
    for span in spans[:_MOST]:
        table.add_row(times.short(span.start_utc), times.short(span.end_utc), span.zone, span.worker_id[:12])
    yield from (_heading("plan", [(span.start_utc, span.end_utc) for span in spans], times), Whole(table))
    if len(spans) > _MOST:
        yield Text(f"and {number(len(spans) - _MOST, 0)} later ones", style="dim")


def _runs(runs: Sequence[Run], times: Times) -> Iterator[RenderableType]:
    if not runs:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("from", "to", "zone"):
        table.add_column(name, no_wrap=True)
    for name in ("items", "tokens", "energy", "CO2e"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs[-_MOST:]:
        table.add_row(
            times.short(run.started_utc),
            times.short(run.ended_utc),
            run.zone,
            number(run.items_n, 0),
            number(run.new_tokens, 0),
            joules(run.energy_j),
            grams(run.operational_g),
        )
    yield from (_heading("runs", [(run.started_utc, run.ended_utc) for run in runs], times), Whole(table))
    if len(runs) > _MOST:
        yield Text(f"and {number(len(runs) - _MOST, 0)} earlier ones", style="dim")


def _heading(name: str, spans: Sequence[tuple[datetime, datetime]], times: Times) -> Text:
    return Text(f"\n{name}, times {times.offsets(spans[0][0], spans[-1][1])}", style="italic")


def _failed(view: View) -> Iterator[RenderableType]:
    if not view.failed:
        return
    yield Text("\nset aside, by place in the job", style="italic")
    for each in view.failed:
        name = f"{each.place}" if each.own_id is None else f"{each.place} ({printable(each.own_id[:40])})"
        yield Text(f"{name}: {printable(each.error or 'unknown')}, after {each.attempts} attempts")
    more = view.standing.failed_n - len(view.failed)
    if more > 0:
        yield Text(f"and {number(more, 0)} more; `sprout-like jobs results` has them all", style="dim")
