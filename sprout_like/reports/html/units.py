"""How the page writes figures: one unit for a column, an interval beside its figure, a dash for what is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sprout_like.carbon import JOULES_PER_KWH
from sprout_like.reports.figures import UNKNOWN_MARK, Scale, grams_scale
from sprout_like.reports.interval import Figure

__all__ = [
    "CO2E",
    "amount",
    "electricity",
    "emissions",
    "exact",
    "finely",
    "in_column",
    "interval_of",
    "litres",
    "mass",
    "moment",
    "points",
    "prices",
    "share",
    "with_interval",
]

CO2E: Final = "CO₂e"

_KWH: Final = JOULES_PER_KWH
_ELECTRICITY: Final = (Scale(_KWH / 1e6, "mWh"), Scale(_KWH / 1e3, "Wh"), Scale(_KWH, "kWh"), Scale(_KWH * 1e3, "MWh"))
_WATER: Final = (Scale(1e-3, "ml"), Scale(1, "l"), Scale(1e3, "m³"))
_PERCENT: Final = "\u00a0%"
_SIGNIFICANT: Final = 4
_MOST_DECIMALS: Final = 9
_OF_CARD: Final = 3
_MANY: Final = 100
_LEAST_PRICE: Final = 0.001


def electricity(values_j: Iterable[float | None]) -> Scale:
    """The unit of electricity for figures in J."""
    return _fitting(values_j, _ELECTRICITY)


def emissions(values_g: Iterable[float | None]) -> Scale:
    """The unit for figures in g CO2e, named with what it is a mass of."""
    scale = grams_scale(values_g)
    return Scale(scale.factor, f"{scale.unit} {CO2E}")


def mass(value_g: float | None) -> str:
    """An amount of CO2e with its unit."""
    scale = emissions((value_g,))
    return UNKNOWN_MARK if value_g is None else f"{exact(value_g / scale.factor)} {scale.unit}"


def litres(values_l: Iterable[float | None]) -> Scale:
    """The unit for figures in l of water."""
    return _fitting(values_l, _WATER)


def prices(currency: str | None, values: Iterable[float | None]) -> Scale:
    """The unit for amounts of money; those of a token are so small that nobody can read their zeros."""
    name = currency or "money"
    most = max((abs(value) for value in values if value is not None), default=0.0)
    return Scale(1e-6, f"millionths of {name}") if 0 < most < _LEAST_PRICE else Scale(1, name)


def _fitting(values: Iterable[float | None], scales: tuple[Scale, ...]) -> Scale:
    """The largest unit in which the largest figure is at least 1; the smallest where none is."""
    most = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    return next((scale for scale in reversed(scales) if most >= scale.factor), scales[1] if most == 0 else scales[0])


def exact(value: float | None, digits: int = _SIGNIFICANT) -> str:
    """To so many significant digits, in plain notation where it can be read so."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_MARK
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    if decimals > _MOST_DECIMALS:
        return f"{value:.{digits - 1}e}"
    rounded = round(value, decimals)
    return f"{rounded:,.{max(0, decimals)}f}".replace("-", "−")


def amount(units: float) -> str:
    """How many of something: whole ones where there are many."""
    return f"{units:,.0f}" if units >= _MANY else exact(units, _OF_CARD)


def in_column(value: float | None, scale: Scale) -> str:
    """As the scale writes it, with a true minus sign."""
    written = scale(value)
    return f"−{written[1:]}" if written.startswith("-") else written


def with_interval(figure: Figure, scale: Scale) -> str:
    """The figure, and how far off it may be: ± where the interval is even, its ends where it is not."""
    if figure.value is None or not math.isfinite(figure.value):
        return UNKNOWN_MARK
    value = figure.value / scale.factor
    if figure.low is None or figure.high is None:
        return exact(value)
    low, high = figure.low / scale.factor, figure.high / scale.factor
    if not math.isclose(value - low, high - value, rel_tol=1e-6, abs_tol=1e-12):
        return f"{exact(value)} ({exact(low)} to {exact(high)})"
    off = (high - low) / 2
    # Two significant digits of the doubt, and the figure no finer (JCGM 100:2008, 7.2.6).
    decimals = 1 - math.floor(math.log10(off)) if off > 0 else _MOST_DECIMALS + 1
    if decimals > _MOST_DECIMALS:
        return f"{exact(value)} ± {exact(off)}"
    return f"{round(value, decimals):,.{max(0, decimals)}f} ± {round(off, decimals):,.{max(0, decimals)}f}"


def share(value: float | None) -> str:
    """As percent with one decimal, with a true minus sign, never torn from its unit."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_MARK
    return f"{round(100 * value, 1) or 0.0:,.1f}{_PERCENT}".replace("-", "−")


def points(value: float | None) -> str:
    """A difference of shares, in percentage points."""
    return UNKNOWN_MARK if value is None else share(value).removesuffix(_PERCENT)


def moment(at: datetime | None) -> str:
    """To the minute, UTC."""
    return UNKNOWN_MARK if at is None else f"{at:%Y-%m-%d %H:%M}"


def interval_of(figure: Figure, scale: Scale) -> str:
    """The interval alone, with its unit; empty where the figure itself is unknown."""
    if figure.value is None:
        return ""
    if figure.low is None or figure.high is None:
        return "interval unknown"
    low, high = figure.low / scale.factor, figure.high / scale.factor
    return f"{exact(low, _OF_CARD)} to {exact(high, _OF_CARD)} {scale.unit}"


def finely(value: float | None) -> str:
    """A share in percent with three decimals, for what should be nothing."""
    if value is None or not math.isfinite(value):
        return UNKNOWN_MARK
    rounded = round(100 * value, 3)
    return "< 0.001" if value and not rounded else f"{rounded:,.3f}".replace("-", "−")
