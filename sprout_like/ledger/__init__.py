"""The SQL store: rows of requests, of energy accounts and of what sources said. Start reading at `ledger.py`."""

from __future__ import annotations

from sprout_like.ledger.ledger import Ledger
from sprout_like.ledger.open import (
    count_pending,
    default_ledger_path,
    default_spool_path,
    idle_engine,
    open_engine,
    open_ledger,
)
from sprout_like.ledger.querying import query
from sprout_like.ledger.sql_ledger import LedgerStatus, SqlLedger

__all__ = [
    "Ledger",
    "LedgerStatus",
    "SqlLedger",
    "count_pending",
    "default_ledger_path",
    "default_spool_path",
    "idle_engine",
    "open_engine",
    "open_ledger",
    "query",
]
