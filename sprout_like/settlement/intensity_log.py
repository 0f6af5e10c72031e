"""Keeps what the grid's sources said: the history by which requests are settled later."""

from __future__ import annotations

from grid import Grid
from sprout_like.ledger import Ledger
from sprout_like.ledger.rows import row_key
from sprout_like.record import IntensityRecord

__all__ = ["IntensityLog"]


class IntensityLog:
    """Appends the grid's current reading to a ledger, each once; a static figure, which is no reading, never.

    Args:
        grid: looked at, never asked: no network here.
        ledger: where the rows go.
    """

    def __init__(self, grid: Grid, ledger: Ledger) -> None:
        self._grid = grid
        self._ledger = ledger
        self._last: str | None = None

    def tick(self) -> None:
        """Called about once a second from the background."""
        reading = self._grid.look().intensity
        if reading is None or reading.status == "static":
            return
        record = IntensityRecord.of(reading)
        if row_key(record) != self._last:
            self._ledger.append(record)
            self._last = row_key(record)
