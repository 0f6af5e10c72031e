"""The mean intensity behind the grams of a line of the facts, as SQL, to sort the line into a class by."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, func

from sprout_like.carbon import JOULES_PER_KWH

__all__ = ["intensity_to_class"]

_ABOVE_ROUNDING: Final = 1 + 1e-9


def intensity_to_class(facts: Subquery) -> ColumnElement[Any]:
    """In g/kWh, a billionth too high; NULL where unknown, or where no energy was used.

    Published intensities are round, and so are the edges of classes. Divided out of two sums, an intensity of 180 comes
    back a last bit above or below it, as the order of adding up has it: as it stands, it would be in either class.
    """
    c = facts.c
    return c.operational_g * (JOULES_PER_KWH * _ABOVE_ROUNDING) / func.nullif(c.energy_j * c.pue, 0)
