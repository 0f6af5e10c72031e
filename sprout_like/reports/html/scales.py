"""Axes: of moments and of figures, with few marks, as a phone has room for few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

__all__ = ["figures_axis", "highest", "time_axis"]

_TICKS = 6


def time_axis(panels: Sequence[Any], start_utc: datetime, end_utc: datetime) -> None:
    """All panels over the same span; the last one says the moments, in UTC."""
    import matplotlib.dates

    # matplotlib types its dates not at all.
    dates: Any = matplotlib.dates
    locator = dates.AutoDateLocator(tz=UTC, minticks=3, maxticks=_TICKS)
    days = ["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%S"]
    formatter = dates.ConciseDateFormatter(
        locator,
        tz=UTC,
        formats=days,
        zero_formats=["", "%b %Y", "%-d %b", "%-d %b", "%H:%M", "%H:%M"],
        show_offset=False,
    )
    for axes in panels[:-1]:
        axes.xaxis.set_major_locator(dates.AutoDateLocator(tz=UTC, minticks=3, maxticks=_TICKS))
        axes.tick_params(axis="x", labelbottom=False)
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(formatter)
    for axes in panels:
        axes.set_xlim(start_utc, end_utc)


def figures_axis(axis: Any, highest: float, *, ticks: int = 4) -> None:
    """From zero, so that lengths can be compared, to a little above the highest figure."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    top = highest * 1.06 if highest > 0 else 1.0
    axes = axis.axes
    (axes.set_xlim if axis is axes.xaxis else axes.set_ylim)(0, top)
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def highest(values: Iterable[float | None]) -> float:
    """Of those that are known."""
    return max((value for value in values if value is not None), default=0.0)
