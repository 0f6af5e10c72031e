"""When to judge: a low of the grid, capacity to spare, and not too soon after the last time. Nothing looks ahead."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select

from directives.evaluation import Due, Moment, Schedule
from grid import Grid, SourceError
from sprout_like.clock import Clock
from sprout_like.evaluating.store import last_evaluation_utc
from sprout_like.ledger.schema import IntensityRow, RequestRow

__all__ = ["Occasion", "busy_share", "wait_until_due"]

TRAILING: Final = timedelta(days=7)
"""A week holds every hour of the day and every day of the week once."""

BUSY_SPAN_S: Final = 300.0
MOST_BUSY: Final = 0.3
"""Share of the time or of the processor at which a machine is no longer idle."""

_EVERY_S: Final = 60.0


def busy_share() -> float | None:
    """Processes that ran or waited for a processor in the last minute, per processor; None where nobody counts them."""
    if not hasattr(os, "getloadavg"):
        return None
    return os.getloadavg()[0] / (os.cpu_count() or 1)


class Occasion:
    """Whether it is time to judge, from the grid, the ledger and the machine.

    Args:
        grid: refreshed here, where that is due.
        engine: of the ledger's database.
        clock: for now.
        catalogue_version: evaluations under another catalogue do not count.
        schedule: the rule.
        busy: how busy the machine is, as a share; None where unknown, which keeps nothing from being judged.
    """

    def __init__(
        self,
        grid: Grid,
        engine: Engine,
        clock: Clock,
        *,
        catalogue_version: str,
        schedule: Schedule | None = None,
        busy: Callable[[], float | None] = busy_share,
    ) -> None:
        self._grid = grid
        self._engine = engine
        self._clock = clock
        self._catalogue_version = catalogue_version
        self._schedule = schedule or Schedule()
        self._busy = busy

    def due(self) -> Due | None:
        """Why an evaluation is due now; None where it is not.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database's own errors.
        """
        self._grid.refresh_if_due()
        now_utc, intensity = self._clock.now_utc(), self._grid.look().intensity
        last_utc = last_evaluation_utc(self._engine, catalogue_version=self._catalogue_version)
        ahead = self._grid.outlook().series
        return self._schedule.due(
            now_utc.timestamp(),
            None if last_utc is None else last_utc.timestamp(),
            None if intensity is None else intensity.g_per_kwh,
            self._trailing(now_utc if intensity is None else min(now_utc, intensity.start_utc)),
            [Moment(slot.start_utc.timestamp(), slot.g_per_kwh) for slot in ahead or ()],
            idle=self._idle(now_utc),
        )

    def _trailing(self, until_utc: datetime) -> list[Moment]:
        """Past intensities, from the source, or from the ledger where it gives none."""
        since_utc = until_utc - TRAILING
        try:
            past = self._grid.history(since_utc, until_utc)
        except SourceError:
            return self._logged(since_utc, until_utc)
        return [
            Moment(slot.start_utc.timestamp(), slot.g_per_kwh)
            for slot in past
            if slot.status != "static" and slot.end_utc <= until_utc
        ]

    def _logged(self, since_utc: datetime, until_utc: datetime) -> list[Moment]:
        source = self._grid.source
        # The last row of a slot stands below: the actual where there is one, as it is first in the alphabet.
        slots = (
            select(IntensityRow.start_utc, IntensityRow.g_per_kwh)
            .where(IntensityRow.zone == self._grid.zone, IntensityRow.status.in_(("actual", "estimated")))
            .where(IntensityRow.kind == source.kind, IntensityRow.factors == source.factors)
            .where(IntensityRow.start_utc >= since_utc, IntensityRow.end_utc <= until_utc)
            .order_by(IntensityRow.start_utc, IntensityRow.status.desc())
        )
        with self._engine.connect() as connection:
            by_start = {row.start_utc.timestamp(): row.g_per_kwh for row in connection.execute(slots)}
        return [Moment(*slot) for slot in by_start.items()]

    def _idle(self, now_utc: datetime) -> bool:
        """Whether neither the processor nor, by the ledger's rows, the model was busy of late."""
        busy = self._busy()
        if busy is not None and busy > MOST_BUSY:
            return False
        served_s = select(func.sum(RequestRow.engine_s)).where(
            RequestRow.purpose == "request", RequestRow.started_utc >= now_utc - timedelta(seconds=BUSY_SPAN_S)
        )
        with self._engine.connect() as connection:
            return (connection.scalar(served_s) or 0.0) <= MOST_BUSY * BUSY_SPAN_S


def wait_until_due(occasion: Occasion, *, sleep: Callable[[float], object], every_s: float = _EVERY_S) -> Due:
    """Ask now and then until it is time; why it is.

    Args:
        occasion: whether it is.
        sleep: waits, in s.
        every_s: time between questions, in s.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    while (due := occasion.due()) is None:
        sleep(every_s)
    return due
