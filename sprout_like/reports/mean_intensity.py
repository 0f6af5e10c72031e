"""The mean intensity of the hours in which users were served, to sort their requests into classes by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Subquery, and_, case, func, select

from sprout_like.carbon import JOULES_PER_KWH

__all__ = ["with_hourly_intensity"]

_ABOVE_ROUNDING: Final = 1 + 1e-9


def with_hourly_intensity(facts: Subquery, names: Iterable[str]) -> Subquery:
    """Columns of the facts of purpose `request`, and `hour_g_per_kwh`, NULL where unknown.

    It is the mean over all of the hour's requests of the zone, kind and factors, by energy. Of the requests of one line
    alone it would differ between lines that are compared with each other, the more so the fewer they are: a control
    group would stand in other classes than the requests beside it.

    It is a billionth too high: published intensities are round, and so are the edges of classes. Divided out of two
    sums, an intensity of 180 comes back a last bit above or below it, as the order of adding up has it.

    Args:
        facts: as `ledger.rollups.facts` gives them.
        names: of the columns; SQLite takes its time to sort each further one.
    """
    c = facts.c
    told = and_(c.carbon_known_n == c.energy_known_n, c.energy_j > 0)
    grams, joules = (
        func.sum(case((told, of))).over(partition_by=(c.hour_utc, c.zone, c.kind, c.factors))
        for of in (c.operational_g, c.energy_j * c.pue)
    )
    mean = case((c.kind.is_not(None), grams * (JOULES_PER_KWH * _ABOVE_ROUNDING) / joules))
    return (
        select(*(c[name] for name in names), mean.label("hour_g_per_kwh"))
        .where(c.purpose == "request")
        .subquery("at_intensity")
    )
