"""How figures are written: unknown is a dash, never a zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["UNKNOWN_MARK", "GramsScale", "grams", "grams_scale", "number", "percent"]

UNKNOWN_MARK = "–"


def number(value: float | None, digits: int) -> str:
    """A figure with that many decimals and thousands marked."""
    return UNKNOWN_MARK if value is None else f"{value:,.{digits}f}"


_UNITS = ((1e-6, "µg"), (1e-3, "mg"), (1.0, "g"), (1e3, "kg"))


def grams(value_g: float | None) -> str:
    """G CO2e to three figures, in the unit that suits it: µg, mg, g or kg."""
    if value_g is None:
        return UNKNOWN_MARK
    factor, unit = next((u for u in reversed(_UNITS) if abs(value_g) >= u[0]), _UNITS[0])
    return f"{_three_figures(value_g / factor)} {unit}"


@dataclass(frozen=True, slots=True)
class GramsScale:
    """One unit for a whole column."""

    factor: float
    unit: str

    def __call__(self, value_g: float | None) -> str:
        """The figure alone, with the decimals that the column's unit asks for."""
        return number(None if value_g is None else value_g / self.factor, 2)


def grams_scale(values_g: Iterable[float | None]) -> GramsScale:
    """The unit in which the largest of the values has one to three figures before the point."""
    largest = max((abs(v) for v in values_g if v is not None), default=0.0)
    return GramsScale(*next((u for u in reversed(_UNITS) if largest >= u[0]), _UNITS[0]))


def _three_figures(value: float) -> str:
    # `.3g` alone turns to powers of ten from 1,000 on.
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return UNKNOWN_MARK if share is None else f"{100 * share:.1f} %"
