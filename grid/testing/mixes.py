"""Generation mixes of a wanted intensity, for servers that speak of fuels only."""

from __future__ import annotations

from math import isfinite
from typing import Any

from grid.fuels import FUEL_FACTORS

__all__ = ["TOTAL_MW", "coal_mw", "wind_mw"]

TOTAL_MW = 10_000.0


def coal_mw(g_per_kwh: Any) -> Any:
    """Coal in `TOTAL_MW` of coal and wind that emit so much; none where it is less than wind alone does.

    What is no figure, or negative, is passed through: it is as wrong for a power as it was for an intensity.
    """
    figure = g_per_kwh
    if isinstance(figure, str):
        try:
            figure = float(figure)
        except ValueError:
            return g_per_kwh
    if isinstance(figure, bool) or not isinstance(figure, int | float) or abs(figure) > 1e300:
        return g_per_kwh
    if not isfinite(figure) or figure < 0:
        return g_per_kwh
    low, high = (FUEL_FACTORS[fuel].lifecycle_g_per_kwh for fuel in ("wind", "coal"))
    return max(0.0, TOTAL_MW * (figure - low) / (high - low))


def wind_mw(g_per_kwh: float) -> float:
    """The rest of that mix."""
    rest: float = TOTAL_MW - coal_mw(g_per_kwh)
    return rest
