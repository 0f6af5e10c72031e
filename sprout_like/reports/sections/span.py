"""The span of a report, as conditions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select

__all__ = ["within"]


def within(
    query: Select[*tuple[Any, ...]], column: Any, *, since_utc: datetime | None, until_utc: datetime | None
) -> Select[*tuple[Any, ...]]:
    """The query for the rows whose stamp lies in the span, its end exclusive."""
    if since_utc is not None:
        query = query.where(column >= since_utc)
    return query if until_utc is None else query.where(column < until_utc)
