"""The durable queue, in the ledger's database. Start reading at `queue.py`; `claiming.py` says what crashes cost."""

from __future__ import annotations

from sprout_like.jobs.queue.open import open_queue
from sprout_like.jobs.queue.queue import Queue

__all__ = ["Queue", "open_queue"]
