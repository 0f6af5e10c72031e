"""How a document says who a figure is of."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from sprout_like.reports.figures import UNKNOWN_MARK, joules_scale, number, percent
from sprout_like.reports.interval import Figure

__all__ = ["PURPOSES", "figure", "intensity", "joules", "moment", "named", "short", "spread"]

PURPOSES: Final = {
    "request": "requests",
    "job": "items of jobs",
    "baseline": "baselines (run to compare with)",
    "evaluation": "evaluations (run to judge)",
    "calibration": "calibrations (run to measure directives)",
}


def intensity(kind: str | None, factors: str | None) -> str:
    """Of which kind and factors grams are."""
    return "intensity unknown" if kind is None else f"{kind} intensity, {factors} factors"


def short(kind: str | None, factors: str | None) -> str:
    """Likewise, for a column."""
    return UNKNOWN_MARK if kind is None else f"{kind}, {factors}"


def named(value: str | None) -> str:
    """A value of a group; an empty text looks like none, and is none."""
    return value or UNKNOWN_MARK


def moment(when: datetime | None) -> str:
    """To the minute, in UTC."""
    return UNKNOWN_MARK if when is None else f"{when:%Y-%m-%d %H:%M}"


def joules(value_j: float | None) -> str:
    """In the unit that suits it; below 0.1 J in mJ."""
    if value_j is None:
        return UNKNOWN_MARK
    if 0 < abs(value_j) < 0.1:
        return f"{figure(value_j * 1000)} mJ"
    scale = joules_scale((value_j,))
    return f"{scale(value_j)} {scale.unit}"


def figure(value: float | None) -> str:
    """To four significant digits, without an exponent where it can be helped."""
    if value is None:
        return UNKNOWN_MARK
    if 1 <= abs(value) < 1e9:
        return number(value, max(0, 3 - math.floor(math.log10(abs(value)))))
    return f"{value:.4g}"


def spread(of: Figure) -> str:
    """Half of the interval, as a share of the figure; a dash where there is none."""
    return UNKNOWN_MARK if of.half_width is None or not of.value else percent(of.half_width / of.value)
