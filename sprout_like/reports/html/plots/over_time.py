"""Panels over one axis of time: how dirty the grid was, what was used, what that emitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sprout_like.reports.html.canvas import Canvas
from sprout_like.reports.html.palette import Colour
from sprout_like.reports.html.scales import figures_axis, highest, time_axis
from sprout_like.reports.html.svg import Styles

__all__ = ["Bars", "Curve", "Panel", "over_time"]

_PANEL: Final = 92
_FEW: Final = 40
"""Steps up to which each is marked, and bars are set apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line; a step whose value is None interrupts it.

    Attributes:
        values: one for each step. colour: its colour. dash, marker: so that colour is not its only sign.
    """

    values: Sequence[float | None]
    colour: Colour
    dash: Any = "-"
    marker: str = "o"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars from zero; a step whose value is None has none.

    Attributes:
        values: one for each step. colour: their colour.
    """

    values: Sequence[float | None]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        heading: what it shows, with its unit. drawn: curves, or one set of bars.
    """

    heading: str
    drawn: Sequence[Curve | Bars]


def over_time(
    name: str,
    starts_utc: Sequence[datetime],
    step: timedelta,
    panels: Sequence[Panel],
    description: str,
    styles: Styles,
) -> str:
    """Draw them.

    Args:
        name: of the plot.
        starts_utc: starts of the steps, rising, one at least.
        step: how long each is.
        panels: from the top.
        description: for readers who cannot see it.
        styles: of the page.
    """
    canvas = Canvas(name, [_PANEL] * len(panels))
    for axes, panel in zip(canvas.panels, panels, strict=True):
        axes.grid(axis="y")
        figures_axis(axes.yaxis, highest(value for drawn in panel.drawn for value in drawn.values))
        for drawn in panel.drawn:
            if isinstance(drawn, Curve):
                _curve(axes, starts_utc, step, drawn)
            else:
                _bars(axes, starts_utc, step, drawn)
        canvas.head(axes, panel.heading)
    time_axis(canvas.panels, starts_utc[0], starts_utc[-1] + step)
    return canvas.svg(description, styles)


def _curve(axes: Any, starts_utc: Sequence[datetime], step: timedelta, curve: Curve) -> None:
    """Through the middle of each step. Where a step is missing there is a gap: nobody knows what was between."""
    moments: list[datetime] = []
    values: list[float] = []
    for start, value in zip(starts_utc, curve.values, strict=True):
        if moments and start - moments[-1] > step:
            moments.append(start)
            values.append(math.nan)
        moments.append(start + step / 2)
        values.append(math.nan if value is None else value)
    few = len(starts_utc) <= _FEW
    axes.plot(
        moments,
        values,
        color=curve.colour.light,
        linestyle=curve.dash,
        linewidth=1.8,
        marker=curve.marker if few or _lonely(values) else None,
        markersize=4,
        solid_capstyle="round",
    )


def _lonely(values: Sequence[float]) -> bool:
    """Whether a value stands between two gaps, where a line alone would not show it."""
    known = [False, *(not math.isnan(value) for value in values), False]
    return any(known[at - 1 : at + 2] == [False, True, False] for at in range(1, len(known) - 1))


def _bars(axes: Any, starts_utc: Sequence[datetime], step: timedelta, bars: Bars) -> None:
    shown = [(start, value) for start, value in zip(starts_utc, bars.values, strict=True) if value is not None]
    room = 0.82 if len(starts_utc) <= _FEW else 0.9
    axes.bar(
        [start + step / 2 for start, _ in shown],
        [value for _, value in shown],
        width=step * room,
        color=bars.colour.light,
        linewidth=0,
    )
