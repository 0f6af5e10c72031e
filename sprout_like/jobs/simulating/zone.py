"""A zone's trace, cut to what is simulated, and what was known of it at each moment.

Known are the slots that are over, the actual of the slot that runs, told one second after it begins, and a forecast
made of both. Sources that tell an actual late know less: their planner sees a forecast where this one sees an actual.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from grid.errors import NoData
from grid.forecasting import forecast_from
from grid.intensity import Intensity, Series
from grid.sources.trace_file import read_trace
from sprout_like.errors import JobError
from sprout_like.jobs.planning.outlook import Floats

__all__ = ["Zone", "read_zone"]

_HISTORY = timedelta(days=14)
# A slot's own actual is told while it runs.
_TOLD_AFTER = timedelta(seconds=1)
# How fast what the last forecast missed by is forgotten, in h ahead.
_FADE_H = 24.0
_LEAST_G_PER_KWH = 1.0

Step = tuple[datetime, datetime, float]


@dataclass(frozen=True, slots=True)
class Zone:
    """A trace without gaps from the start of the simulation to its end, and what came before.

    Attributes:
        readings: of the whole trace. first: index of the one in which the simulation begins.
        edge_s: where slots begin, in s from the start of the simulation, and the end of the last one.
        g_per_kwh: of each slot.
        every: a new forecast is made at each so many slots; what the last one missed by is mended in between.
    """

    name: str
    readings: tuple[Intensity, ...]
    first: int
    edge_s: Floats
    g_per_kwh: Floats
    every: int
    _made: dict[int, tuple[Step, ...]] = field(default_factory=dict)

    def integral(self, start_s: Floats, end_s: Floats) -> Floats:
        """Integral of the intensity over spans, in s·g/kWh."""
        sums = np.concatenate(([0.0], np.cumsum(np.diff(self.edge_s) * self.g_per_kwh)))
        found: Floats = np.interp(end_s, self.edge_s, sums) - np.interp(start_s, self.edge_s, sums)
        return found

    def trailing(self, slot: int, count: int) -> Floats:
        """The figures of the last slots, that slot's own the last."""
        newest = self.first + slot
        return np.array([each.g_per_kwh for each in self.readings[max(0, newest - count + 1) : newest + 1]])

    def outlook(self, slot: int) -> tuple[Step, ...]:
        """What was known in that slot: its own figure, and a forecast from it and the slots before."""
        now = self.readings[self.first + slot]
        own = (now.start_utc, now.end_utc, now.g_per_kwh)
        made_in = slot - slot % self.every
        if made_in not in self._made:
            self._made[made_in] = self._forecast(self.first + made_in)
        ahead = self._made[made_in]
        told = next((g for start, _, g in ahead if start == now.start_utc), None)
        if told is None:
            return (own,)
        missed = max(now.g_per_kwh, _LEAST_G_PER_KWH) / max(told, _LEAST_G_PER_KWH)
        later = [step for step in ahead if step[0] >= now.end_utc]
        hours = [(start - now.start_utc) / timedelta(hours=1) for start, _, _ in later]
        factors = missed ** np.exp(-np.array(hours) / _FADE_H)
        return (own, *((a, b, g * by) for (a, b, g), by in zip(later, factors.tolist(), strict=True)))

    def _forecast(self, index: int) -> tuple[Step, ...]:
        """From that reading, which its source tells while it runs, and those of the two weeks before."""
        now = self.readings[index]
        issued = now.fetched_at_utc
        first = index
        while first > 0 and self.readings[first - 1].end_utc > now.start_utc - _HISTORY:
            first -= 1
        known = Series(self.readings[first : index + 1])
        try:
            ahead = forecast_from(known, start_utc=now.start_utc, end_utc=issued + timedelta(days=3), issued_utc=issued)
        except NoData:
            return ()
        return tuple((each.start_utc, each.end_utc, each.g_per_kwh) for each in ahead)


def read_zone(
    path: Path, *, name: str, column: str, start_utc: datetime | None, days: float | None, most_forecasts: int
) -> Zone:
    """A trace from a file.

    Args:
        path: CSV, plain or gzipped, or Parquet.
        name: of its zone.
        column: of the figures.
        start_utc: where the simulation begins; None: after two weeks, or a quarter of a shorter trace.
        days: how long it is; None: to the trace's end.
        most_forecasts: as many are made in the whole simulation.

    Raises:
        GridError: the file cannot be read as a trace.
        JobError: the trace does not cover the time asked for, or has a gap in it, or no calendar has that time.
    """
    readings = tuple(
        replace(each, status="actual", fetched_at_utc=each.start_utc + _TOLD_AFTER)
        for each in read_trace(path, zone=name, column=column)
    )
    begin, end = readings[0].start_utc, readings[-1].end_utc
    if start_utc is None:
        start_utc = begin + min(_HISTORY, (end - begin) / 4)
    try:
        until = end if days is None else start_utc + timedelta(days=days)
    except OverflowError as exc:
        raise JobError(
            f"--trace {path}: it ends {end.isoformat()}, and {days:g} days from {start_utc.isoformat()} are beyond any "
            "calendar. Change --start or --days"
        ) from exc
    inside = [index for index, each in enumerate(readings) if each.end_utc > start_utc and each.start_utc < until]
    if not inside or readings[inside[0]].start_utc > start_utc or readings[inside[-1]].end_utc < until:
        raise JobError(
            f"--trace {path}: it goes from {begin.isoformat()} to {end.isoformat()}, and {start_utc.isoformat()} to "
            f"{until.isoformat()} is to be simulated. Change --start or --days"
        )
    chosen = [readings[index] for index in inside]
    for before, after in pairwise(chosen):
        if before.end_utc != after.start_utc:
            raise JobError(
                f"--trace {path}: there is a gap from {before.end_utc.isoformat()} to {after.start_utc.isoformat()}. "
                "Change --start or --days so that it lies outside"
            )
    stamps = [each.start_utc for each in chosen] + [chosen[-1].end_utc]
    return Zone(
        name=name,
        readings=readings,
        first=inside[0],
        edge_s=np.array([(stamp - stamps[0]).total_seconds() for stamp in stamps]),
        g_per_kwh=np.array([each.g_per_kwh for each in chosen]),
        every=max(1, -(-len(chosen) // most_forecasts)),
    )
