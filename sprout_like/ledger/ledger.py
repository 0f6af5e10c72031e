"""What the middleware needs of a ledger."""

from __future__ import annotations

from typing import Protocol

from sprout_like.ledger.rows import Record

__all__ = ["Ledger"]


class Ledger(Protocol):
    """Keeps rows. `append` is on the request path: durable, quick, and never raising for the store's faults."""

    @property
    def name(self) -> str:
        """The database, without secrets; ledgers of one name are one store, and share its energy accounts."""
        ...

    def append(self, record: Record) -> None:
        """Keep one row; once this returns, the row survives `kill -9`.

        Where the database does not take it, the row is spooled and sent again later: no error is raised, one warning
        is logged per outage.
        """
        ...

    def tick(self) -> None:
        """Called about once a second from the background: send what waits, try again after an outage, keep house."""
        ...

    def flush(self) -> int:
        """Send spooled rows to the database now; returns how many are still waiting (0 when all is stored)."""
        ...

    def close(self) -> None:
        """Flush once and release connections; safe to call twice. Later appends go to the spool."""
        ...
