"""How figures are written: unknown is a dash, never a zero."""

from __future__ import annotations

__all__ = ["UNKNOWN_MARK", "grams", "number", "percent"]

UNKNOWN_MARK = "–"


def number(value: float | None, digits: int) -> str:
    """A figure with that many decimals and thousands marked."""
    return UNKNOWN_MARK if value is None else f"{value:,.{digits}f}"


def grams(value_g: float | None) -> str:
    """G CO2e in the unit that keeps three figures readable: µg, mg, g or kg."""
    if value_g is None:
        return UNKNOWN_MARK
    for limit, factor, unit in ((1e-3, 1e6, "µg"), (1.0, 1e3, "mg"), (1e3, 1.0, "g")):
        if abs(value_g) < limit:
            return f"{_three_figures(value_g * factor)} {unit}"
    return f"{_three_figures(value_g / 1e3)} kg"


def _three_figures(value: float) -> str:
    # `.3g` alone turns to powers of ten from 1,000 on.
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return UNKNOWN_MARK if share is None else f"{100 * share:.1f} %"
