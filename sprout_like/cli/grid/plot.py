"""A series as lines of text: bars over time, intervals as shades, what is unknown as a gap.

Why this is not a library: docs/decisions/0014-terminal-plots.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from rich.text import Text

from grid import Series
from sprout_like.cli.grid.glyphs import BLOCKS, Glyphs
from sprout_like.cli.grid.times import Times

__all__ = ["plot", "sparkline", "strip"]

_ROWS: Final = 10
_UNIT: Final = "g/kWh"
_WIDEST_LABEL: Final = 6
_MARKED: Final = "green"
_ROUND: Final = (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10)


@dataclass(frozen=True, slots=True)
class _Column:
    """The mean over a column's stretch of time, as far as it is known, and the interval around it."""

    value: float
    low: float
    high: float


def plot(
    series: Series,
    start_utc: datetime,
    end_utc: datetime,
    *,
    width: int,
    times: Times,
    glyphs: Glyphs = BLOCKS,
    marked: tuple[datetime, datetime] | None = None,
) -> Text:
    """Draw [start_utc, end_utc), with 0 at the foot.

    Args:
        series: what is known of the span.
        start_utc: where the time axis begins.
        end_utc: where it ends.
        width: of the whole, in characters.
        times: how the time axis is labelled.
        glyphs: what it is drawn with.
        marked: a span to point out; None for none.
    """
    edges = _edges(start_utc, end_utc, _inner(width))
    columns = _columns(series, edges)
    top = _nice(max((column.high for column in columns if column), default=0.0))
    pointed = _pointed(edges, marked)
    picture = Text(f"{_UNIT:>{_WIDEST_LABEL}}\n")
    for row in reversed(range(_ROWS)):
        label = f"{top * (row + 1) / _ROWS:g}" if row + 1 in (_ROWS, _ROWS // 2) else ""
        cells = "".join(_cell(column, row, top / _ROWS, glyphs) for column in columns).rstrip()
        picture.append(f"{label:>{_WIDEST_LABEL}} {glyphs.vertical}{cells[: pointed.start]}")
        picture.append(cells[pointed], _MARKED).append(f"{cells[pointed.stop :]}\n")
    picture.append(_time_axis(columns, edges, times, glyphs))
    if pointed.stop:
        picture.append(f"\n{'':{_WIDEST_LABEL + 2 + pointed.start}}")
        picture.append(glyphs.mark * (pointed.stop - pointed.start), _MARKED)
    return picture


def strip(
    name: str,
    spans: Sequence[tuple[datetime, datetime]],
    start_utc: datetime,
    end_utc: datetime,
    *,
    width: int,
    mark: str,
    style: str = _MARKED,
) -> Text:
    """A row to stand under a plot of the same span and width: a mark below each column that one of `spans` touches.

    Args:
        name: stands before it, as far as there is room.
        spans: those that are marked.
        start_utc: as of the plot, like `end_utc` and `width`.
        end_utc: likewise.
        width: likewise.
        mark: the character.
        style: its style.
    """
    columns = pairwise(_edges(start_utc, end_utc, _inner(width)))
    cells = "".join(mark if any(a < end and start < b for a, b in spans) else " " for start, end in columns)
    return Text(f"{name[:_WIDEST_LABEL]:>{_WIDEST_LABEL}}  ").append(cells.rstrip(), style)


def sparkline(
    series: Series, start_utc: datetime, end_utc: datetime, *, width: int, top: float, glyphs: Glyphs = BLOCKS
) -> str:
    """One row of bars in which `top` fills a cell; what is unknown is blank."""
    columns = _columns(series, _edges(start_utc, end_utc, width))
    return "".join(
        " " if column is None else glyphs.filled(column.value / top if top else 0.0, least=1) for column in columns
    )


def _inner(width: int) -> int:
    """Columns that bars may fill."""
    return max(10, width - _WIDEST_LABEL - 2)


def _edges(start_utc: datetime, end_utc: datetime, count: int) -> list[datetime]:
    return [start_utc + (end_utc - start_utc) * n / count for n in range(count + 1)]


def _pointed(edges: Sequence[datetime], marked: tuple[datetime, datetime] | None) -> slice:
    """The columns that the marked span touches; the empty slice at 0 where there is none."""
    if marked is None:
        return slice(0, 0)
    touched = [n for n, (start, end) in enumerate(pairwise(edges)) if marked[0] < end and start < marked[1]]
    return slice(touched[0], touched[-1] + 1) if touched else slice(0, 0)


def _columns(series: Series, edges: Sequence[datetime]) -> list[_Column | None]:
    found: list[_Column | None] = []
    for start, end in pairwise(edges):
        readings = list(series.between(start, end))
        shares = [(min(r.end_utc, end) - max(r.start_utc, start)).total_seconds() for r in readings]
        if not readings:
            found.append(None)
            continue
        ends = [
            (r.g_per_kwh, r.low_g_per_kwh, r.high_g_per_kwh)
            if r.low_g_per_kwh is not None and r.high_g_per_kwh is not None
            else (r.g_per_kwh,) * 3
            for r in readings
        ]
        value, low, high = (
            sum(share * each[i] for share, each in zip(shares, ends, strict=True)) / sum(shares) for i in range(3)
        )
        found.append(_Column(value, low, high))
    return found


def _nice(highest: float) -> float:
    """The round figure at or above it; 1 where it is less, as no reading is worth a finer scale."""
    power = 10.0 ** math.floor(math.log10(max(1.0, highest)))
    return next(step * power for step in _ROUND if step * power >= highest)


def _cell(column: _Column | None, row: int, step: float, glyphs: Glyphs) -> str:
    if column is None:
        return " "
    if column.high - column.low < step or (row == 0 and column.value < step):  # no room for shades
        return glyphs.filled(column.value / step - row)
    middle = (row + 0.5) * step
    if middle <= column.low:
        return glyphs.levels[-1]
    return glyphs.below if middle <= column.value else glyphs.above if middle <= column.high else " "


def _time_axis(columns: Sequence[_Column | None], edges: Sequence[datetime], times: Times, glyphs: Glyphs) -> str:
    """The axis, broken where nothing is known, and the labels under it."""
    width, start, end = len(columns), edges[0], edges[-1]
    axis = [" " if column is None else glyphs.line for column in columns]
    labels = [" "] * width
    free_from = 0
    for when, label in times.ticks(start, end, max(1, width // 9)):
        at = int((when - start) / (end - start) * width)
        left = max(0, at - len(label) // 2)
        if left >= free_from and left + len(label) <= width:
            axis[at] = glyphs.tick
            labels[left : left + len(label)] = label
            free_from = left + len(label) + 2
    foot = " " * (_WIDEST_LABEL + 2)
    return f"{'0':>{_WIDEST_LABEL}} {glyphs.corner}{''.join(axis).rstrip()}\n{foot}{''.join(labels).rstrip()}"
