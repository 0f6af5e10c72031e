"""Shares of directives in each class of intensity, and how many requests each class stands for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sprout_like.reports.html.canvas import Canvas
from sprout_like.reports.html.palette import REST, Colour
from sprout_like.reports.html.scales import figures_axis
from sprout_like.reports.html.svg import Styles

__all__ = ["Layer", "mix"]

_SHARES: Final = 190
_COUNTS: Final = 56
_APART: Final = 0.94


@dataclass(frozen=True, slots=True)
class Layer:
    """One directive, or several together.

    Attributes:
        requests: in each class. colour, hatch: how it is drawn.
    """

    requests: Sequence[int]
    colour: Colour
    hatch: str | None


def mix(
    name: str,
    classes: Sequence[tuple[float, float]],
    layers: Sequence[Layer],
    headings: tuple[str, str],
    description: str,
    styles: Styles,
) -> str:
    """Draw them, the first layer at the bottom.

    Args:
        name: of the plot.
        classes: bounds of the classes in g/kWh, rising.
        layers: the directives.
        headings: of the two panels, with their units.
        description: for readers who cannot see it.
        styles: of the page.
    """
    canvas = Canvas(name, [_SHARES, _COUNTS], bottom=48)
    shares, counts = canvas.panels
    totals = [math.fsum(layer.requests[place] for layer in layers) for place in range(len(classes))]
    middles = [(low + high) / 2 for low, high in classes]
    widths = [(high - low) * _APART for low, high in classes]
    bottom = [0.0] * len(classes)
    for layer in layers:
        heights = [100 * n / total if total else 0.0 for n, total in zip(layer.requests, totals, strict=True)]
        shares.bar(middles, heights, widths, bottom, color=layer.colour.light, hatch=layer.hatch, linewidth=0)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    shares.grid(axis="y")
    shares.set_ylim(0, 100)
    shares.set_yticks([0, 25, 50, 75, 100])
    counts.bar(middles, totals, widths, color=REST.light, linewidth=0)
    counts.grid(axis="y")
    figures_axis(counts.yaxis, max(totals), ticks=2)
    _intensity_axis(shares, counts, classes)
    canvas.foot("Intensity, g CO₂e/kWh")
    for axes, heading in zip(canvas.panels, headings, strict=True):
        canvas.head(axes, heading)
    return canvas.svg(description, styles)


def _intensity_axis(shares: Any, counts: Any, classes: Sequence[tuple[float, float]]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axes in (shares, counts):
        axes.set_xlim(classes[0][0], classes[-1][1])
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    shares.tick_params(axis="x", labelbottom=False)
