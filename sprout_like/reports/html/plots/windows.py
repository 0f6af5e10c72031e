"""When jobs could run, when they ran or will, and how dirty the grid was or is expected to be then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sprout_like.reports.html.canvas import ROW, Canvas
from sprout_like.reports.html.palette import GRID, INK, MUTED, Colour
from sprout_like.reports.html.scales import figures_axis, highest, time_axis
from sprout_like.reports.html.svg import Styles

__all__ = ["Lane", "Slot", "Trace", "windows"]

_INTENSITY: Final = 120
_MARKS: Final = 0.12
_THICK: Final = 0.3


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of time.

    Attributes:
        start_utc, end_utc: the span. colour, hatch: how it is drawn.
    """

    start_utc: datetime
    end_utc: datetime
    colour: Colour
    hatch: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """An intensity over time, level within each slot.

    Attributes:
        slots: start, end and g/kWh, rising. colour, dash: how it is drawn.
    """

    slots: Sequence[tuple[datetime, datetime, float]]
    colour: Colour
    dash: Any


@dataclass(frozen=True, slots=True)
class Lane:
    """One job.

    Attributes:
        name: as others chose it. written: its figure as text.
        from_utc, until_utc: from when on, and until when, it could run. slots: when it ran or is to.
    """

    name: str
    written: str
    from_utc: datetime
    until_utc: datetime
    slots: Sequence[Slot]


def windows(
    name: str,
    traces: Sequence[Trace],
    lanes: Sequence[Lane],
    headings: tuple[str, str],
    description: str,
    styles: Styles,
) -> str:
    """Draw them: intensities above, where there are any, a lane for each job below.

    Args:
        name: of the plot.
        traces: intensities.
        lanes: jobs, one at least.
        headings: of the two panels, with their units.
        description: for readers who cannot see it.
        styles: of the page.
    """
    heights = [_INTENSITY] * bool(traces) + [ROW * len(lanes)]
    canvas = Canvas(name, heights)
    panels = canvas.panels
    if traces:
        above = panels[0]
        above.grid(axis="y")
        figures_axis(above.yaxis, highest(level for trace in traces for *_, level in trace.slots))
        for slot in (slot for lane in lanes for slot in lane.slots):
            above.axvspan(slot.start_utc, slot.end_utc, color=GRID.light, linewidth=0)
        for trace in traces:
            _trace(above, trace)
        canvas.head(above, headings[0])
    below = panels[-1]
    canvas.rows(below, len(lanes))
    below.grid(axis="x")
    canvas.head(below, headings[1])
    for place, lane in enumerate(lanes):
        canvas.row(below, place, lane.name, lane.written)
        _lane(below, place + _MARKS, lane)
    moments = [at for lane in lanes for at in (lane.from_utc, lane.until_utc)]
    moments += [at for lane in lanes for slot in lane.slots for at in (slot.start_utc, slot.end_utc)]
    room = (max(moments) - min(moments)) * 0.02
    time_axis(panels, min(moments) - room, max(moments) + room)
    return canvas.svg(description, styles)


def _trace(axes: Any, trace: Trace) -> None:
    moments: list[datetime] = []
    levels: list[float] = []
    for start, end, level in trace.slots:
        if moments and start > moments[-1]:
            moments.append(moments[-1])
            levels.append(math.nan)
        moments += [start, end]
        levels += [level, level]
    axes.plot(moments, levels, color=trace.colour.light, linestyle=trace.dash, linewidth=1.8)


def _lane(axes: Any, y: float, lane: Lane) -> None:
    axes.plot([lane.from_utc, lane.until_utc], [y, y], color=MUTED.light, linewidth=1.2, zorder=0.9)
    axes.plot(lane.from_utc, y, marker="|", color=MUTED.light, markersize=9)
    axes.plot(lane.until_utc, y, marker="|", color=INK.light, markersize=14, markeredgewidth=2)
    for slot in lane.slots:
        # With an edge: a run of minutes would not be seen in a plot of days.
        colour = slot.colour.light
        length = slot.end_utc - slot.start_utc
        axes.barh(y, length, _THICK, slot.start_utc, color=colour, edgecolor=colour, hatch=slot.hatch, linewidth=1.5)
