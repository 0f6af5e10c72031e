"""Names beside the points of a plot, where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

__all__ = ["Label", "write_labels"]

_CLEAR: Final = 8
"""Pixels around a point that are kept free."""


class Label(NamedTuple):
    """A name and the point it belongs to, in the axes' own units."""

    text: str
    x: float
    y: float
    colour: str


def write_labels(figure: Any, axes: Any, labels: Sequence[Label], others: Sequence[tuple[float, float]] = ()) -> None:
    """Write each name beside its point, at the first place where it covers no other name and no point.

    Args:
        figure: whose layout is settled hereby.
        axes: where to, with all that is drawn on it.
        labels: names; those of the highest points choose first.
        others: further points that are not to be covered.
    """
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure.canvas.draw()  # places are known once the layout is
    renderer = figure.canvas.get_renderer()
    points = [(label.x, label.y) for label in labels]
    at = [axes.transData.transform(point) for point in (*points, *others)]
    taken = [Bbox.from_bounds(x - _CLEAR, y - _CLEAR, 2 * _CLEAR, 2 * _CLEAR) for x, y in at]
    for label in sorted(labels, key=lambda each: -each.y):
        text = axes.annotate(
            label.text,
            (label.x, label.y),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=9,
            color=label.colour,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            va="center",
            arrowprops={"arrowstyle": "-", "color": "#c3cad1", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4},
        )
        text.set_in_layout(False)
        box = Bbox.null()
        for place in _places():
            text.set_position(place)
            text.set_horizontalalignment("left" if place[0] > 0 else "right" if place[0] < 0 else "center")
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer).padded(1)  # an annotation's own would hold its line too
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and axes.bbox.y0 <= box.y0
            if inside and box.y1 <= axes.bbox.y1 and not any(box.overlaps(other) for other in taken):
                break
        taken.append(box)


def _places() -> list[tuple[float, float]]:
    """Offsets in points, nearest first: beside, then above and below, further and further away."""
    near = [(8.0, 0.0), (-8.0, 0.0), (0.0, 11.0), (0.0, -11.0)]
    far = [
        (x, sign * step)
        for step in (10.0, 20.0, 30.0, 42.0, 54.0, 68.0, 84.0, 100.0)
        for sign in (-1, 1)
        for x in (10.0, -10.0, 34.0, -34.0)
    ]
    return near + far
