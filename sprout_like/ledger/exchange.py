"""A table of the ledger that is met in the background alone, so that no outage of the database reaches a request."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.clock import Clock
from sprout_like.errors import SproutError
from sprout_like.ledger.address import public_name
from sprout_like.ledger.faults import first_line
from sprout_like.ledger.migrate import ensure_schema

__all__ = ["FAULTS", "Exchange"]

_LOG = logging.getLogger("sprout_like")

FAULTS: Final = (SQLAlchemyError, SproutError, OSError)
"""What a database that does not answer, or not as it should, raises."""

_EVERY_S: Final = 5.0
_FIRST_RETRY_S: Final = 10.0
_LAST_RETRY_S: Final = 300.0


class Exchange:
    """Calls `work` every five seconds that somebody ticks; after a fault later and later, up to five minutes.

    Thread-safe. An outage is logged once.

    Args:
        engine: of the ledger's database, the owner's own; disposed of with `close`.
        clock: for the time between.
        work: meets the database; raises `FAULTS`, having put back what it had taken.
        says: what an outage means, for the log, such as "answers cannot be kept".
        missed: called after a fault.
        forked: called in a forked child before its first `work`: what waited is the parent's too.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        work: Callable[[], object],
        *,
        says: str,
        missed: Callable[[], object] = lambda: None,
        forked: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._work, self._missed, self._forked = work, missed, forked
        self._says = says
        self._lock = threading.Lock()
        self._retry_s = self._next_s = 0.0
        self._prepared = self._closed = False
        self._pid = os.getpid()

    def tick(self) -> None:
        """Work, where it is time."""
        with self._lock:
            if not self._closed and self._clock.monotonic_s() >= self._next_s:
                self._once()

    def close(self) -> None:
        """Work once more; tried once."""
        with self._lock:
            if not self._closed:
                self._once()
                self._closed = True
                self._engine.dispose()

    def _once(self) -> None:
        if os.getpid() != self._pid:
            # The parent's connections must not be used, nor closed, in a forked child.
            self._engine.dispose(close=False)
            self._pid = os.getpid()
            self._forked()
        now_s = self._clock.monotonic_s()
        try:
            if not self._prepared:
                ensure_schema(self._engine)
                self._prepared = True
            self._work()
        except FAULTS as exc:
            self._prepared = False
            self._missed()
            if not self._retry_s:
                _LOG.warning("%s: %s (%s)", public_name(self._engine.url), self._says, first_line(exc))
            self._retry_s = min(max(2 * self._retry_s, _FIRST_RETRY_S), _LAST_RETRY_S)
            self._next_s = now_s + self._retry_s
            return
        self._retry_s = 0.0
        self._next_s = now_s + _EVERY_S
