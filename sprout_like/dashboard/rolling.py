"""Adds up the hours that are over, in the background: the one thing that is ever written, and only where it may be."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.clock import Clock
from sprout_like.dashboard.database import ReadOnlyDatabase
from sprout_like.errors import LedgerError
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.rollups.outcome import RollUp
from sprout_like.ledger.rollups.roller import roll_up

__all__ = ["Rolling"]

_EVERY_S: Final = 60.0
_AFTER_REFUSAL_S: Final = 3600.0
_BUDGET_S: Final = 10.0
_SOON: Final = timedelta(minutes=2)
"""Rows of an hour still come in for a while after it: those that took long, and those of a clock behind ours."""


class Rolling:
    """Without it the page shows the same figures, and takes longer for weeks and months.

    Args:
        database: tells whether there is a ledger of this release.
        url: the same database, to write to.
        clock: which hours are over, and when it is time again.
    """

    def __init__(self, database: ReadOnlyDatabase, url: URL, clock: Clock) -> None:
        self._database = database
        self._url = url
        self._clock = clock
        self._due_s: float | None = None

    def tick(self) -> RollUp | None:
        """Add up what is over, for some seconds at most; None where it was not time. Called about once a second."""
        now_s = self._clock.monotonic_s()
        if self._due_s is not None and now_s < self._due_s:
            return None
        done = self._rolled_up()
        wait_s = {"read_only": _AFTER_REFUSAL_S, "budget": 0.0}.get("" if done is None else done.ended, _EVERY_S)
        self._due_s = now_s + wait_s
        return done

    def _rolled_up(self) -> RollUp | None:
        try:
            with self._database.reading():
                pass
            engine = build_engine(self._url)
            try:
                return roll_up(engine, now_utc=self._clock.now_utc() - _SOON, budget_s=_BUDGET_S, clock=self._clock)
            finally:
                engine.dispose()
        except (LedgerError, SQLAlchemyError):  # the page itself says what is wrong with the ledger
            return None
