"""Rows with a name each: figures with their intervals, or bars made of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sprout_like.reports.html.canvas import Canvas
from sprout_like.reports.html.palette import FLOOR, INK, MUTED, Colour
from sprout_like.reports.html.svg import Styles

__all__ = ["Bar", "Estimate", "bars", "estimates"]

_MARKS: Final = 0.12
"""Where the marks of a row are, below its name, in rows."""

_THICK: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        name: of the row, as others chose it. written: the figure as text.
        value: as a share; None draws nothing. low, high: its interval; an end that is None is open.
        colour, marker: how it is drawn. floor: a bound to hold; None for none.
    """

    name: str
    written: str
    value: float | None
    low: float | None
    high: float | None
    colour: Colour
    marker: str
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of parts.

    Attributes:
        name: of the row, as others chose it. written: the figure as text.
        parts: lengths, one after another, each with its colour and hatch.
    """

    name: str
    written: str
    parts: Sequence[tuple[float, Colour, str | None]]


def estimates(
    name: str, rows: Sequence[Estimate], label: str, bounds: tuple[float, float], description: str, styles: Styles
) -> str:
    """Draw the figures as percent; `bounds` is what the axis holds at least, as shares, and zero is marked in it."""
    canvas = Canvas.of_rows(name, len(rows), label)
    axes = canvas.panels[0]
    low, high = _limits(rows, bounds)
    axes.set_xlim(100 * low, 100 * high)
    _percent_axis(axes)
    if low < 0 < high:
        axes.axvline(0, color=MUTED.light, linewidth=1.2)
    for place, row in enumerate(rows):
        canvas.row(axes, place, row.name, row.written)
        if row.value is not None:
            _estimate(axes, place + _MARKS, row, (low, high))
        if row.floor is not None:
            top = place + _MARKS
            axes.plot([100 * row.floor] * 2, [top - 0.2, top + 0.2], color=FLOOR.light, linewidth=2.4, zorder=4)
    return canvas.svg(description, styles)


def bars(name: str, rows: Sequence[Bar], label: str, full: float | None, description: str, styles: Styles) -> str:
    """Draw the bars from zero; `full` is a length that is marked across all rows."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    canvas = Canvas.of_rows(name, len(rows), label)
    axes = canvas.panels[0]
    longest = max([sum(length for length, *_ in row.parts) for row in rows] + ([] if full is None else [full]))
    axes.set_xlim(0, longest * 1.03 if longest > 0 else 1)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    for place, row in enumerate(rows):
        canvas.row(axes, place, row.name, row.written)
        left = 0.0
        for length, colour, hatch in row.parts:
            axes.barh(place + _MARKS, length, _THICK, left, color=colour.light, hatch=hatch, linewidth=0)
            left += length
    if full is not None:
        axes.axvline(full, color=INK.light, linewidth=1.4)
    return canvas.svg(description, styles)


def _limits(rows: Sequence[Estimate], bounds: tuple[float, float]) -> tuple[float, float]:
    """By figures and what of their intervals is near: one after three requests can be longer than the whole scale."""
    known = [row.value for row in rows if row.value is not None]
    ends = [end for row in rows for end in (row.low, row.high, row.floor) if end is not None]
    low, high = min([*known, bounds[0]]), max([*known, bounds[1]])
    room = high - low
    low = min([low, *(max(end, low - room) for end in ends)])
    high = max([high, *(min(end, high + room) for end in ends)])
    margin = 0.03 * (high - low)
    return low - margin, high + margin


def _percent_axis(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g} %".replace("-", "−")))


def _estimate(axes: Any, y: float, row: Estimate, limits: tuple[float, float]) -> None:
    """An interval that goes on beyond the axis ends in an arrow, an end that is open as well."""
    drawn = []
    for end, limit, arrow in ((row.low, limits[0], "<"), (row.high, limits[1], ">")):
        beyond = end is not None and (end < limit if arrow == "<" else end > limit)
        shown = row.value if end is None else limit if beyond else end
        drawn.append(100 * (shown or 0.0))
        axes.plot(
            drawn[-1],
            y,
            marker=arrow if beyond else "|",
            color=row.colour.light,
            markersize=9,
            linestyle="",
            clip_on=False,
        )
    axes.plot(drawn, [y, y], color=row.colour.light, linewidth=2.2, solid_capstyle="butt")
    axes.plot(
        100 * (row.value or 0.0), y, marker=row.marker, color=row.colour.light, markersize=8, linestyle="", zorder=5
    )
