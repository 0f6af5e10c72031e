"""What every plot shares: its width, its margins, panels over an axis of time or figures, and rows with names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sprout_like.errors import ReportError
from sprout_like.reports.html.palette import GRID, INK, MUTED, PAPER
from sprout_like.reports.html.svg import Names, Styles, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["ROW", "Canvas", "check_plots", "drawing"]

_WIDTH: Final = 600
"""In units of the drawing; a page shows them at 1.2 px on a desk and at 0.57 px on a phone, with larger type."""

_LEFT: Final = 60
_RIGHT: Final = 14
_EDGE: Final = 6
_CHARACTERS: Final = 62
"""That fit into a row, in the type of a phone."""
_BOTTOM: Final = 32
_HEADING: Final = 34
_BETWEEN: Final = 10
_OVER_PANEL: Final = 12
ROW: Final = 58
_NAME: Final = 0.14
"""Where the names of rows are, above the middle of a row, in rows."""

_POINTS_PER_INCH: Final = 72


def check_plots() -> None:
    """Find out now whether plots can be drawn.

    Raises:
        ReportError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - whether it is there
    except ImportError as exc:
        raise ReportError(
            f"--format: html needs matplotlib, which cannot be imported ({exc}). "
            'pip install "sprout-like[plot]", or choose md'
        ) from exc


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Within it matplotlib draws the same everywhere, whatever the user's own style file says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "text.parse_math": False,
                "text.color": INK.light,
                "axes.edgecolor": MUTED.light,
                "axes.facecolor": "none",
                "axes.labelcolor": MUTED.light,
                "axes.spines.left": False,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.axisbelow": True,
                "axes.unicode_minus": True,
                "figure.facecolor": "none",
                "font.size": 12,
                "grid.color": GRID.light,
                "grid.linewidth": 0.8,
                "hatch.color": PAPER.light,
                "hatch.linewidth": 1.4,
                "timezone": "UTC",
                "xtick.color": MUTED.light,
                "ytick.color": MUTED.light,
                "xtick.major.pad": 5,
                "xtick.major.size": 4,
                "ytick.major.size": 0,
            }
        )
        yield


class Canvas:
    """One plot in the making, used inside `drawing()`.

    Args:
        name: of the plot, unique in its page.
        heights: of its panels, from the top, in units of the drawing.
        bottom: room under the last panel.
    """

    def __init__(self, name: str, heights: Sequence[float], *, bottom: float = _BOTTOM) -> None:
        # Not pyplot, which would keep state and look for a display.
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        # Of the plot, so that no identifier in it is that of something else in another.
        mpl.rcParams["svg.hashsalt"] = name
        self._name = name
        self._names = Names()
        self._height = sum(heights) + _HEADING * len(heights) + _BETWEEN * (len(heights) - 1) + bottom
        self._figure = Figure(figsize=(_WIDTH / _POINTS_PER_INCH, self._height / _POINTS_PER_INCH))
        FigureCanvasSVG(self._figure)
        self.panels: list[Any] = []
        top = self._height
        for height in heights:
            top -= _HEADING + height
            self.panels.append(self._axes(top, height))
            top -= _BETWEEN

    @classmethod
    def of_rows(cls, name: str, rows: int, heading: str) -> Canvas:
        """One panel as wide as the plot, with a row for each name; y counts them from 0 at the top, without a scale."""
        canvas = cls(name, [ROW * rows])
        axes = canvas.panels[0]
        place = axes.get_position()
        axes.set_position((_EDGE / _WIDTH, place.y0, 1 - 2 * _EDGE / _WIDTH, place.height))
        canvas.rows(axes, rows)
        axes.grid(axis="x")
        canvas.head(axes, heading)
        return canvas

    def rows(self, axes: Any, rows: int) -> None:
        """Make a panel one of rows."""
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_yticks([])

    def _axes(self, bottom: float, height: float) -> Axes:
        place = (_LEFT / _WIDTH, bottom / self._height, 1 - (_LEFT + _RIGHT) / _WIDTH, height / self._height)
        return self._figure.add_axes(place)

    def head(self, axes: Any, text: str) -> None:
        """Write what a panel shows, and in which unit, above it: an upright label would be cut on a phone."""
        place = axes.get_position()
        x, y = min(place.x0, _EDGE / _WIDTH), place.y1 + _OVER_PANEL / self._height
        self._figure.text(x, y, text, va="baseline", weight="bold")

    def foot(self, text: str) -> None:
        """Write what the axis at the bottom shows."""
        self._figure.text(
            (_WIDTH + _LEFT - _RIGHT) / 2 / _WIDTH, 5 / self._height, text, ha="center", color=MUTED.light
        )

    def row(self, axes: Any, place: int, name: str, figure: str) -> None:
        """Write the name at the left end of a row and a figure at its right end, above the marks."""
        at = axes.get_yaxis_transform()
        axes.text(0, place - _NAME, self._names.stand_in(name, _CHARACTERS - len(figure)), transform=at, va="baseline")
        axes.text(1, place - _NAME, figure, transform=at, va="baseline", ha="right", color=MUTED.light)

    def svg(self, description: str, styles: Styles) -> str:
        """The plot, drawn."""
        return inline(self._figure, self._name, description, styles, self._names)
