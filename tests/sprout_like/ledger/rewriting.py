"""Changes in rows by hand, which a view does not take: out with the row, and in again otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, select

from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import RequestRow, StoredRequestRow
from sprout_like.record import RequestRecord


def rewrite_requests(connection: Connection, request_ids: Sequence[str], **changes: Any) -> None:
    columns = select(RequestRow.__table__).where(RequestRow.request_id.in_(request_ids))
    records = [RequestRecord(**row) for row in connection.execute(columns).mappings()]
    connection.execute(delete(StoredRequestRow).where(StoredRequestRow.request_id.in_(request_ids)))
    insert_requests(connection, [replace(record, **changes) for record in records])
