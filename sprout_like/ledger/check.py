"""Does the ledger in this database add up?"""

from __future__ import annotations

from sqlalchemy import Engine, select

from sprout_like.clock import Clock, SystemClock
from sprout_like.ledger.audit import Audit, AuditedRequest, CheckReport
from sprout_like.ledger.device_hours import AuditedAccount
from sprout_like.ledger.schema import AccountRow, RequestRow

__all__ = ["check"]


def check(
    engine: Engine, *, tolerance: float = 0.01, pending: int | None = None, clock: Clock | None = None
) -> CheckReport:
    """Read the whole ledger, row by row.

    Args:
        engine: a database with the ledger's schema, from `open_engine`.
        tolerance: how far a sum of energies may be off, as a share.
        pending: rows still in the spool, to be passed on in the report.
        clock: tells which stamps lie in the future.
    """
    audit = Audit(tolerance=tolerance, now_utc=(clock or SystemClock()).now_utc())
    with engine.connect().execution_options(yield_per=1000) as connection:
        # Accounts first: a row of theirs is written after those of its requests, so that all of these are there by now.
        for account in connection.execute(select(*(getattr(AccountRow, n) for n in AuditedAccount.__annotations__))):
            audit.account(account)
        for request in connection.execute(select(*(getattr(RequestRow, n) for n in AuditedRequest.__annotations__))):
            audit.request(request)
    return audit.report(pending=pending)
