"""Sums by day of what a long span has too much of to hash each row: requests, and accounts of devices.

They are compared with a tolerance, as databases add up in orders of their own; counts are compared exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, func, select

from sprout_like.ledger.rollups.facts import MEASURES, daily_facts
from sprout_like.ledger.schema import AccountRow
from sprout_like.reports.sections.reading import utc_day
from sprout_like.reports.sections.span import within

__all__ = ["SUMMED", "DaySums", "Sums", "moved", "sum_rows"]

SUMMED: Final = ("requests", "energy_accounts")
"""Tables of which a month may have millions of rows."""

_ROWS: Final = "rows"
_ACCOUNTED: Final = ("counter_j", "requests_j", "requests_n", "elsewhere_j", "overhead_j", "idle_j")

_TOLERANCE: Final = 2e-9
"""What two sums of the same numbers may differ by, as a share; they are written with ten digits."""

DaySums = Mapping[str, float | int | None]
"""By name, `rows` among them; None where no row knows it."""

Sums = Mapping[str, Mapping[str, DaySums]]
"""By table and by day, as 2026-03-01."""


def sum_rows(engine: Engine, *, since_utc: datetime | None, until_utc: datetime | None) -> Sums:
    """Of the requests and accounts of the span; a request counts to the UTC day on which it began.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    span = {"since_utc": since_utc, "until_utc": until_utc}
    facts = daily_facts(engine, **span)
    measures = [name for name in MEASURES if name != "requests_n"]
    with engine.connect() as connection:
        day = utc_day(connection, facts.c.hour_utc).label("day")
        of_requests = [func.sum(facts.c[name]).label(name) for name in measures]
        requests = select(day, func.sum(facts.c.requests_n).label(_ROWS), *of_requests).group_by(day)
        day = utc_day(connection, AccountRow.started_utc).label("day")
        of_accounts = [func.sum(getattr(AccountRow, name)).label(name) for name in _ACCOUNTED]
        accounts = select(day, func.count().label(_ROWS), *of_accounts).group_by(day)
        found = {}
        for table, query in zip(SUMMED, (requests, within(accounts, AccountRow.started_utc, **span)), strict=True):
            rows = sorted(connection.execute(query).mappings(), key=lambda row: str(row["day"]))
            found[table] = {
                str(row["day"]): {name: _plain(name, value) for name, value in row.items() if name != "day"}
                for row in rows
            }
        return found


def moved(then: DaySums, now: DaySums) -> Iterator[str]:
    """In words, each sum that is not what it was."""
    for name in sorted({*then, *now} - {_ROWS}):
        one, other = then.get(name), now.get(name)
        if one != other and (one is None or other is None or not math.isclose(one, other, rel_tol=_TOLERANCE)):
            yield f"{name} {_said(one)} then, {_said(other)} now"


def _plain(name: str, value: Any) -> float | int | None:
    """As JSON has it; databases give some whole numbers as decimals."""
    if value is None:
        return None
    if name == _ROWS or name.endswith(("_n", "_tokens")):
        return int(value)
    return float(f"{value:.10g}")


def _said(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.10g}"
