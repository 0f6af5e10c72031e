"""How figures are written: unknown is a dash, never a zero, and a unit is chosen that keeps figures below 1,000.

What is not zero is not written as one either, but to two significant digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["UNKNOWN_MARK", "Scale", "grams", "grams_scale", "joules_scale", "number", "percent"]

UNKNOWN_MARK: Final = "–"

_COLUMN_DECIMALS: Final = 2
_MOST_DECIMALS: Final = 6


def number(value: float | None, digits: int) -> str:
    """A figure with that many decimals and thousands marked; what is not a finite number counts as unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_MARK
    rounded = round(value, digits) or 0.0  # never "-0.0"
    return f"{rounded:,.{digits}f}"


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return UNKNOWN_MARK if share is None else f"{number(100 * share, 1)} %"


@dataclass(frozen=True, slots=True)
class Scale:
    """One unit for a whole column.

    Attributes:
        factor: the unit in g or in J. unit: its symbol.
    """

    factor: float
    unit: str

    def __call__(self, value: float | None) -> str:
        """The figure in this unit, alone: two decimals, more where it has less than two digits in them."""
        figure = None if value is None else value / self.factor
        if not figure or not math.isfinite(figure):
            return number(figure, _COLUMN_DECIMALS)
        decimals = 1 - math.floor(math.log10(abs(figure)))
        return f"{figure:.1e}" if decimals > _MOST_DECIMALS else number(figure, max(_COLUMN_DECIMALS, decimals))


_GRAMS: Final = (Scale(1e-6, "µg"), Scale(1e-3, "mg"), Scale(1, "g"), Scale(1e3, "kg"), Scale(1e6, "t"))
_JOULES: Final = (Scale(1, "J"), Scale(1e3, "kJ"), Scale(1e6, "MJ"), Scale(1e9, "GJ"))


def grams(value_g: float | None) -> str:
    """G CO2e to three figures, in the unit that suits it."""
    if value_g is None or not math.isfinite(value_g):
        return UNKNOWN_MARK
    scale = _fitting(value_g, _GRAMS, _three_figures)
    figure = _three_figures(value_g / scale.factor)
    return f"{figure:,.0f} {scale.unit}" if abs(figure) >= 1000 else f"{figure:g} {scale.unit}"


def grams_scale(values_g: Iterable[float | None]) -> Scale:
    """The unit for a column of g CO2e."""
    return _fitting(_largest(values_g), _GRAMS, lambda figure: round(figure, _COLUMN_DECIMALS))


def joules_scale(values_j: Iterable[float | None]) -> Scale:
    """The unit for a column of J."""
    return _fitting(_largest(values_j), _JOULES, lambda figure: round(figure, _COLUMN_DECIMALS))


def _largest(values: Iterable[float | None]) -> float:
    return max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)


def _fitting(value: float, units: tuple[Scale, ...], as_written: Callable[[float], float]) -> Scale:
    """The smallest unit in which the figure, rounded as it is written, stays below 1,000; the plain one for 0."""
    if value == 0:
        return next(unit for unit in units if unit.factor == 1)
    return next((unit for unit in units if abs(as_written(value / unit.factor)) < 1000), units[-1])


def _three_figures(value: float) -> float:
    return float(f"{value:.3g}")
