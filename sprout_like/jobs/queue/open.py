"""From the `ledger` setting to the queue in it."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from sprout_like.clock import Clock, SystemClock
from sprout_like.errors import SettingError, SproutError
from sprout_like.jobs.queue.queue import Queue
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.open import ledger_address

__all__ = ["open_queue"]


def open_queue(
    spec: str | os.PathLike[str] | None = None,
    *,
    clock: Clock | None = None,
    attempts: int = 3,
    create: bool = False,
) -> Queue:
    """The queue in a ledger, its schema brought up to this release.

    Args:
        spec: a file path, `sqlite:///FILE` or `postgresql://…`; None for the user's own file.
        clock: stamps and leases; None for the machine's own.
        attempts: how often an item is tried before it is set aside.
        create: make the SQLite file where there is none.

    Raises:
        SettingError: there is no such ledger, or it cannot work until the user changes something.
        LedgerUnreachable: the database does not answer.
        LedgerVersionError: the database was written by a newer release.
    """
    url = ledger_address(spec)
    path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    if path is not None and not create and not path.exists():
        raise SettingError("ledger", f"there is no ledger at {path}", "Submit a job first, or name another")
    engine = build_engine(url)
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        ensure_schema(engine)
    except (SQLAlchemyError, OSError) as exc:
        engine.dispose()
        raise as_startup_error(exc, url) from exc
    except SproutError:
        engine.dispose()
        raise
    return Queue(engine, clock=clock or SystemClock(), attempts=attempts)
