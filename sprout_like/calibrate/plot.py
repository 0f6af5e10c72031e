"""Energy against likeness to `full`, one point per directive."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from directives import FULL
from directives.profile import Point, Profile
from sprout_like.calibrate.labels import Label, write_labels
from sprout_like.errors import SettingError

__all__ = ["check_plot", "plot"]

_FORMATS: Final = (".png", ".svg", ".pdf")
_INK: Final = "#1f2933"
_MUTED: Final = "#8a94a0"
_LOSSLESS: Final = "#1b7f5c"
_LOSSY: Final = "#2f6db5"


def check_plot(file: Path, *, option: str = "--plot") -> None:
    """Find out now, rather than after ten minutes, whether the plot can be made.

    Raises:
        SettingError: matplotlib is not installed, or the name's ending is not that of a format.
    """
    if file.suffix.lower() not in _FORMATS:
        raise SettingError(option, f"{file.name} ends in none of {', '.join(_FORMATS)}", "Name a file that does")
    try:
        import matplotlib  # noqa: F401 - whether it is there
    except ImportError as exc:
        raise SettingError(option, "matplotlib is not installed", 'pip install "sprout-like[plot]"') from exc


def plot(profile: Profile, file: Path) -> None:
    """Draw the profile's points with their 95 % intervals; the format follows the file's ending."""
    # Not pyplot, which would keep state and look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = list(profile.points())
    figure = Figure(figsize=(9, 6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots()
    for point in points:
        _draw(axes, point)
    axes.axvline(100, color=_MUTED, linewidth=0.8, linestyle=":", zorder=0)
    # By the points alone: after two rounds a bar can be several times as long as the whole scale.
    axes.set_xlim(0, 115 * max((point.cost for point in points), default=1.0))
    axes.set_ylim(-0.02, 1.08)
    axes.set_xlabel(f"{profile.measure} per request, % of full (mean over workloads)", color=_INK)
    axes.set_ylabel("agreement with full's answers, ROUGE-L F1 (not a quality score)", color=_INK)
    bars = "bars: 95 % intervals"
    axes.set_title(
        f"{profile.model}: what directives cost, and how much they change\n", loc="left", fontsize=12, color=_INK
    )
    said = f"{profile.hardware}; {_measured(profile)}; {bars}"
    axes.text(0, 1.015, said, transform=axes.transAxes, fontsize=8, color=_MUTED, va="bottom")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
    _legend(figure, points)
    labels = [
        Label(point.directive, 100 * point.cost, point.similarity, _MUTED if point.dominated else _INK)
        for point in points
    ]
    write_labels(figure, axes, labels)
    figure.savefig(file, dpi=150)


def _measured(profile: Profile) -> str:
    if profile.measure == "time":
        return "energy unknown, so time"
    return f"energy {profile.energy_method} by meter {profile.meter}"


def _draw(axes: Any, point: Point) -> None:
    # matplotlib has no type for "no bar": a width of 0 draws none.
    axes.errorbar(
        100 * point.cost,
        point.similarity,
        xerr=100 * (point.cost_half_width or 0.0),
        yerr=_within(point),
        fmt=_marker(point),
        color=_MUTED if point.dominated else _LOSSLESS if point.lossless else _LOSSY,
        markerfacecolor="white" if point.dominated else None,
        markersize=11 if point.directive == FULL.name else 7,
        elinewidth=1,
        ecolor="#c3cad1",
        capsize=2,
        zorder=3,
    )


def _within(point: Point) -> list[list[float]]:
    """The interval of the likeness, cut where there is none: below 0 and above 1."""
    half = point.similarity_half_width or 0.0
    return [[min(half, point.similarity)], [min(half, 1 - point.similarity)]]


def _marker(point: Point) -> str:
    return "*" if point.directive == FULL.name else "D" if point.lossless else "o"


def _legend(figure: Any, points: list[Point]) -> None:
    from matplotlib.lines import Line2D

    lossless = any(p.lossless and p.directive != FULL.name for p in points)
    kinds = [
        (any(p.directive == FULL.name for p in points), "*", _LOSSLESS, _LOSSLESS, "full"),
        (lossless, "D", _LOSSLESS, _LOSSLESS, "lossless but for rounding"),
        (any(not p.lossless for p in points), "o", _LOSSY, _LOSSY, "changes the answer"),
        (any(p.dominated for p in points), "o", _MUTED, "white", "dominated: costs more, agrees no better"),
    ]
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=edge, markerfacecolor=face, label=label)
        for shown, marker, edge, face, label in kinds
        if shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9)
