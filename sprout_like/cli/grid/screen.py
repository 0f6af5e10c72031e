"""What every command prints with: one width, one way to write figures and moments, glyphs that the encoding has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from grid import Intensity, Series
from sprout_like.cli.grid.figures import Summary
from sprout_like.cli.grid.glyphs import ASCII, BLOCKS, Glyphs
from sprout_like.cli.grid.plot import plot
from sprout_like.cli.grid.times import Times, in_words
from sprout_like.reports.figures import number

__all__ = ["Screen", "facts_text", "figure", "said"]

_WIDEST: Final = 110


def figure(g_per_kwh: float | None) -> str:
    """A value in g/kWh: whole, or with a decimal where that is a good part of it."""
    return number(g_per_kwh, 0 if g_per_kwh is None or g_per_kwh >= 10 else 1)


def said(reading: Intensity) -> str:
    """What a reading counts."""
    return f"{reading.kind}, {reading.factors}"


def facts_text(facts: Sequence[tuple[str, str]], width: int) -> Text:
    """What is known, a name and its value each, in two columns that are `width` characters wide together."""
    indent = max(len(name) for name, _ in facts) + 2
    lines: list[Text] = []
    for name, value in facts:
        first, *rest = wrap(value, max(20, width - indent)) or [""]
        lines.append(Text.assemble((f"{name:<{indent}}", "dim"), first))
        lines += [Text(" " * indent + line) for line in rest]
    return Text("\n").join(lines)


class Screen:
    """Standard output, as wide as it is and in its own encoding.

    Args:
        times: how moments are written.
    """

    def __init__(self, times: Times) -> None:
        self.times = times
        self._console = Console(emoji=False, markup=False, highlight=False)
        self.width = min(self._console.width, _WIDEST)
        self.glyphs: Glyphs = ASCII if self._console.options.ascii_only else BLOCKS

    def title(self, text: str) -> None:
        """Print a line that stands out."""
        self._console.print(Text(text, style="bold"))

    def text(self, text: str, style: str = "") -> None:
        """Print a paragraph."""
        self._console.print(Text(text, style=style))

    def show(self, content: RenderableType) -> None:
        """Print what was made to its width."""
        self._console.print(content)

    def keep_showing(self, draw: Callable[[], tuple[RenderableType, bool]], *, every_s: float) -> None:
        """Print what `draw` makes, in one place and again every so often, until it says that it has ended."""
        from rich.live import Live

        content, goes_on = draw()
        with Live(content, console=self._console, auto_refresh=False) as live:
            while goes_on:
                time.sleep(every_s)
                content, goes_on = draw()
                live.update(content, refresh=True)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Print what is known, a name and its value each, in two columns."""
        self._console.print(facts_text(facts, self.width), soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, figures: range = range(0)) -> None:
        """Print a table, of which no cell is ever cut: a terminal that is too narrow breaks its lines.

        Args:
            headings: of the columns.
            rows: a cell for each heading.
            figures: the columns that stand to the right.
        """
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for number_of_line, cells in enumerate((headings, *rows)):
            line = "  ".join(
                cell.rjust(width) if n in figures else cell.ljust(width)
                for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            self._console.print(Text(line.rstrip(), style="" if number_of_line else "dim"), soft_wrap=True)

    def columns(self, names: Iterable[str]) -> None:
        """Print names in as many columns as fit, read downwards."""
        from rich.columns import Columns

        self._console.print(Columns(list(names), column_first=True, padding=(0, 2)))

    def plot(
        self,
        series: Series,
        start_utc: datetime,
        end_utc: datetime,
        marked: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Print a plot, in the width there is."""
        picture = plot(
            series, start_utc, end_utc, width=self.width, times=self.times, glyphs=self.glyphs, marked=marked
        )
        self._console.print(picture, no_wrap=True, overflow="crop")

    def summary(self, summary: Summary) -> list[tuple[str, str]]:
        """The facts of a span."""
        lowest, highest = summary.lowest, summary.highest
        facts = [
            ("mean", f"{figure(summary.mean_g_per_kwh)} g/kWh"),
            ("lowest", f"{figure(lowest.g_per_kwh)} g/kWh at {self.times.moment(lowest.start_utc)}"),
            ("highest", f"{figure(highest.g_per_kwh)} g/kWh at {self.times.moment(highest.start_utc)}"),
        ]
        missing_s = summary.asked_s - summary.known_s
        if missing_s >= 1:
            facts.append(("unknown", f"{in_words(missing_s)} of {in_words(summary.asked_s)}, not counted above"))
        return facts
