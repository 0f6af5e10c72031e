"""The tasks that a ledger knows of."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, select

from sprout_like.ledger.schema import RequestRow, VerdictRow

__all__ = ["known_tasks"]

_LATEST: Final = 10_000
"""Requests that are looked at: the table has no index on tasks and may hold millions."""


def known_tasks(engine: Engine) -> frozenset[str]:
    """Tasks that were served lately or judged ever."""
    latest = select(RequestRow.task).order_by(RequestRow.started_utc.desc()).limit(_LATEST).subquery()
    with engine.connect() as connection:
        served = connection.scalars(select(latest.c.task).distinct()).all()
        judged = connection.scalars(select(VerdictRow.bin_task).distinct()).all()
    return frozenset(task for task in (*served, *judged) if task)
