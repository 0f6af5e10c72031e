"""When the first and the last request of a span began."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from sprout_like.ledger.schema import RequestRow

__all__ = ["first_and_last_utc"]


def first_and_last_utc(
    connection: Connection, *, since_utc: datetime | None = None, until_utc: datetime | None = None
) -> tuple[datetime | None, datetime | None]:
    """When they began; None where there is no request.

    Args:
        connection: to the ledger's database.
        since_utc: first moment; None for all from the first.
        until_utc: the moment after the last; None for all to the last.
    """
    # The first of an order, not `min` and `max`: through the view PostgreSQL finds only that one in the index.
    begun = RequestRow.started_utc
    query = select(begun).limit(1)
    if since_utc is not None:
        query = query.where(begun >= since_utc)
    if until_utc is not None:
        query = query.where(begun < until_utc)
    return connection.scalar(query.order_by(begun)), connection.scalar(query.order_by(begun.desc()))
