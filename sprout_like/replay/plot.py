"""Plots of replays: one week of one policy, and all policies side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sprout_like.calibrate.labels import Label, write_labels
from sprout_like.replay.run import Replayed
from sprout_like.replay.sweep import Point, Scheme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_schemes", "plot_week"]

_INK: Final = "#1f2933"
_MUTED: Final = "#8a94a0"
_FLOOR: Final = "#b03a48"
_WEEK_H: Final = 168
_DIRECTIVES: Final = ("#c9d3dc", "#6fa8dc", "#1b5e9b", "#1b7f5c", "#b5651d", "#7a4fa3", "#4f8a8b")
_SCHEMES: Final = ("#b5651d", "#8a94a0", "#7a4fa3", "#2f6db5", "#1b7f5c")
_MARKERS: Final = ("s", "^", "v", "D", "o")
_STEPS: Final = 20


def plot_week(replayed: Replayed, file: Path) -> None:
    """Draw the first week: intensity, shares of the directives, quality; the format follows the file's ending."""
    order, outcome, experiment = replayed.order, replayed.outcome, replayed.experiment
    hours = min(_WEEK_H, order.hours)
    intensities = experiment.window.intensity_g_per_kwh[:hours]
    # Every hour as a step needs the end of the last one too.
    edges = range(hours + 1)
    start = _at(replayed.start)
    figure = _figure(9, 7.5)
    intensity, shares, quality = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1.3, 1))
    what = f"{order.policy}, context {order.context}" if order.policy == "contextual" else order.policy
    figure.suptitle(f"{what}: {_span(hours)} from {start.day} {start:%B %Y, %H:%M} UTC", x=0.01, ha="left")
    intensity.stairs(intensities, edges, color=_INK, linewidth=1.2, baseline=None)
    intensity.set_ylim(0, 1.15 * max(intensities.max(), 1.0))
    intensity.set_title("intensity of the grid, g CO2e/kWh", loc="left", fontsize=10)
    judged = [each.hour for each in outcome.evaluations if each.hour < hours]
    if judged:
        at = [hour + 0.5 for hour in judged]
        intensity.plot(
            at, intensities[judged], linestyle="", marker="o", markersize=6, color=_FLOOR, label="evaluation"
        )
        intensity.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, borderaxespad=0, fontsize=9)
    names = experiment.prompts.directives
    below = 0.0 * intensities
    for index, name in enumerate(names):
        above = below + 100 * outcome.shares[:hours, index]
        colour = _DIRECTIVES[index % len(_DIRECTIVES)]
        shares.stairs(above, edges, baseline=below, fill=True, color=colour, label=name, linewidth=0)
        below = above
    shares.set_ylim(0, 100)
    shares.set_title("requests by directive, %", loc="left", fontsize=10)
    shares.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=min(len(names), 5), frameon=False, borderaxespad=0, fontsize=9
    )
    floor = 100 * (1 - order.floor_slack)
    quality.stairs(100 * outcome.preference[:hours], edges, color=_INK, linewidth=1.2, baseline=None)
    quality.axhline(100, color=_MUTED, linewidth=0.8, linestyle=":", label="always full")
    quality.axhline(floor, color=_FLOOR, linewidth=1, linestyle="--", label=f"floor, {floor:g} %")
    quality.margins(y=0.12)
    quality.set_title("quality of the answers, % of full's", loc="left", fontsize=10)
    quality.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderaxespad=0, fontsize=9)
    for axes in (intensity, shares, quality):
        _plain(axes)
    _days(quality, replayed.start, hours)
    figure.savefig(file, dpi=150)


def plot_schemes(schemes: Sequence[Scheme], slack: float, file: Path) -> None:
    """Draw carbon saved against quality, a line per policy over its slacks; the format follows the file's ending.

    Args:
        schemes: as `sweep` found them.
        slack: at which points are filled, and hours under the floor are counted.
        file: where to.
    """
    figure = _figure(9, 7)
    axes: Any = figure.subplots()
    swept = [scheme for scheme in schemes if scheme.points[0].slack is not None]
    for scheme, colour, marker in zip(swept, _SCHEMES, _MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "markersize": 6}
        axes.plot(*_coordinates(scheme.points), linewidth=1.4, markerfacecolor="white", **style)
        at = [point for point in scheme.points if point.slack == slack]
        label = f"{scheme.name}: {at[0].hours_below_floor_pct:.0f} % of hours under the floor"
        axes.plot(*_coordinates(at), linestyle="", label=label, **style)
    single = [scheme for scheme in schemes if scheme not in swept]
    for scheme in single:
        axes.plot(*_coordinates(scheme.points), marker="X", markersize=7, linestyle="", color=_INK)
    floor = 100 * (1 - slack)
    axes.axvline(floor, color=_FLOOR, linewidth=1, linestyle="--", label=f"floor, {floor:g} %", zorder=0)
    axes.margins(x=0.08, y=0.08)
    axes.set_xlabel("quality, % of full's (mean over the hours)")
    axes.set_ylabel("carbon saved, % (evaluations counted)")
    axes.set_title("What each policy saves, and what quality it keeps\n", loc="left", fontsize=12)
    slacks = ", ".join(f"{point.slack:g}" for point in swept[0].points)
    said = f"along a line the floor's slack rises: {slacks}; filled: {slack:g}, the floor that is drawn"
    axes.text(0, 1.015, said, transform=axes.transAxes, fontsize=9, color=_MUTED)
    _plain(axes)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    names = [
        Label(scheme.name, point.preference_pct, point.saving_pct, _INK) for scheme in single for point in scheme.points
    ]
    write_labels(figure, axes, names, [place for scheme in swept for place in _along(scheme.points)])
    figure.savefig(file, dpi=150)


def _along(points: Sequence[Point]) -> Iterator[tuple[float, float]]:
    """Places on the line through some points."""
    for one, next_one in pairwise(points):
        for step in range(_STEPS + 1):
            part = step / _STEPS
            yield (
                one.preference_pct + part * (next_one.preference_pct - one.preference_pct),
                one.saving_pct + part * (next_one.saving_pct - one.saving_pct),
            )


def _coordinates(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [point.preference_pct for point in points], [point.saving_pct for point in points]


def _figure(width: float, height: float) -> Figure:
    # Not pyplot, which would keep state and look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _days(axes: Any, start: str, hours: int) -> None:
    """Mark every midnight, or where there is hardly one, every few hours."""
    first = _at(start)
    if hours < 48:
        marks = list(range(0, hours + 1, max(1, hours // 8)))
        labels = [f"{first + timedelta(hours=mark):%H:%M}" for mark in marks]
    else:
        marks = list(range(-first.hour % 24, hours + 1, 24))
        days = [first + timedelta(hours=mark) for mark in marks]
        labels = [f"{day:%a} {day.day} {day:%b}" for day in days]
    axes.set_xlim(0, hours)
    axes.set_xticks(marks, labels)


def _at(start: str) -> datetime:
    return datetime.fromisoformat(start)


def _span(hours: int) -> str:
    return "the week" if hours == _WEEK_H else f"{hours} h"


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
