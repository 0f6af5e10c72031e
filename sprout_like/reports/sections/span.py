"""The span of a report, as conditions and as what is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from sprout_like.ledger.schema import RequestRow

__all__ = ["ends", "within"]


def within(
    query: Select[*tuple[Any, ...]], column: Any, *, since_utc: datetime | None, until_utc: datetime | None
) -> Select[*tuple[Any, ...]]:
    """The query for the rows whose stamp lies in the span, its end exclusive."""
    if since_utc is not None:
        query = query.where(column >= since_utc)
    return query if until_utc is None else query.where(column < until_utc)


def ends(
    connection: Connection, *, since_utc: datetime | None, until_utc: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """When the first and the last request of the span began; None where there is none."""
    # Two queries, as SQLite finds one end in an index at once and looks through all for both.
    first, last = (
        connection.scalar(
            within(
                select(end(RequestRow.started_utc)), RequestRow.started_utc, since_utc=since_utc, until_utc=until_utc
            )
        )
        for end in (func.min, func.max)
    )
    return first, last
