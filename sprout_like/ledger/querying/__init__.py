"""What a ledger holds, as plain rows or as a pandas frame. Start reading at `query.py`."""

from __future__ import annotations

from sprout_like.ledger.querying.query import Query, query
from sprout_like.ledger.querying.selection import Selection

__all__ = ["Query", "Selection", "query"]
