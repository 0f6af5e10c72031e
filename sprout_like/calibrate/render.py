"""A profile on a terminal: a table per workload, what was not measured, and the findings in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from directives.estimate import Estimate
from directives.profile import Cell, Profile
from directives.workload import Bin
from sprout_like.calibrate.findings import findings, label
from sprout_like.reports.figures import number

__all__ = ["report"]

_ENDED: Final = {
    "tight": "every interval got tight enough",
    "budget": "the time was spent",
    "interrupted": "interrupted",
}


def report(profile: Profile) -> RenderableType:
    """Fits 80 columns."""
    return Group(
        Text(f"{profile.model} on {profile.hardware}", style="bold"),
        Text(f"{profile.rounds} rounds in {number(profile.duration_s, 0)} s; {_ENDED[profile.ended]}.\n"),
        *(part for each in profile.bins for part in _bin(profile, each)),
        *_left_out(profile),
        Text("Findings", style="bold"),
        *(Text(f"- {finding}") for finding in findings(profile)),
        *(Text(note, style="dim") for note in _notes(profile)),
    )


def _bin(profile: Profile, of_bin: Bin) -> Iterator[RenderableType]:
    cells = [cell for cell in profile.cells if cell.bin == of_bin]
    yield Text(f"{label(cells[0])}: {of_bin}", style="italic")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("directive", overflow="fold")
    # A terminal of 80 columns has no room for every interval: the ratio's is the one that decides.
    for heading in ("n", "J", "s", "J/tok", "tok", "% full", "±", "% same", "alike"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in cells:
        table.add_row(*_row(profile, cell), style="dim" if profile.dominated_by(cell) else "")
    yield table


def _row(profile: Profile, cell: Cell) -> tuple[str, ...]:
    ratio = cell.ratio(profile.measure)
    marks = ("=" if cell.lossless else "") + ("*" if profile.dominated_by(cell) else "")
    half = None if ratio is None else ratio.half_width
    return (
        f"{cell.directive} {marks}".rstrip(),
        str(cell.n),
        number(_mean(cell.energy_j), 2),
        number(cell.time_s.mean, 2),
        number(_mean(cell.energy_per_token_j), 3),
        number(_mean(cell.new_tokens), 0),
        number(None if ratio is None else 100 * ratio.mean, 1),
        number(None if half is None else 100 * half, 1),
        number(None if cell.exact_share is None else 100 * cell.exact_share, 0),
        number(_mean(cell.similarity), 2),
    )


def _left_out(profile: Profile) -> Iterator[RenderableType]:
    if not profile.left_out:
        return
    yield Text("Not measured", style="bold")
    by_reason: dict[tuple[str | None, str], list[str]] = {}
    for left in profile.left_out:
        by_reason.setdefault((left.directive, left.reason), []).append(left.workload or "all workloads")
    for (directive, reason), workloads in by_reason.items():
        yield Text(f"- {directive or 'all directives'} on {', '.join(workloads)}: {reason}")
    yield Text("")


def _notes(profile: Profile) -> Iterator[str]:
    yield (
        "J and s are per request (in a batch, per row). % full: the mean ratio to full on the same prompt in the same "
        f"round, in {profile.measure}; ± is half its 95 % interval in points. = lossless, * dominated."
    )
    yield (
        "% same: answers that are full's word for word; alike: ROUGE-L F1 of the words. They say how much an answer "
        "differs from full's, not whether it is worse."
    )
    if profile.energy_method == "none":
        yield f"Energy is unknown (meter {profile.meter}): the comparison is one of time. Run `sprout-like doctor`."
    else:
        yield f"Energy: {profile.energy_method}, by meter {profile.meter}."
    if profile.energy_method == "estimated":
        yield "Estimated means a power model, not a sensor: ratios are firmer than joules."


def _mean(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.mean
