"""A reading of carbon intensity and a series of them, each with its provenance."""

from __future__ import annotations

import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, cast, get_args

from grid.errors import BadData, SourceSpecError

__all__ = ["MAX_G_PER_KWH", "Factors", "Intensity", "Kind", "Series", "Status", "checked_factors"]

Kind = Literal["average", "marginal"]
Factors = Literal["direct", "lifecycle"]
Status = Literal["actual", "estimated", "forecast", "static"]

# No fuel burnt for power comes near this: old lignite plants are about 1,200 g/kWh (lifecycle, IPCC 2014 Annex III
# upper range), marginal signals of oil-fired peakers stay under 2,000. A larger figure is an error of unit.
MAX_G_PER_KWH = 5_000.0


def checked_factors(factors: str, source: str) -> Factors:
    """What a source is told to count.

    Raises:
        SourceSpecError: it is neither `direct` nor `lifecycle`.
    """
    if factors not in get_args(Factors):
        raise SourceSpecError(f"{source}: factors is {factors!r}; it must be one of {', '.join(get_args(Factors))}")
    return cast("Factors", factors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """Carbon intensity of a zone over a span.

    Attributes:
        zone: canonical zone name (Electricity Maps key, e.g. `GB`).
        start_utc: start of the span, timezone-aware.
        end_utc: end of the span, exclusive, after `start_utc`.
        g_per_kwh: g CO2e per kWh, 0 to `MAX_G_PER_KWH`; an int is kept as a float.
        kind: `average` (attribution) or `marginal` (consequence of one more kWh); never mixed in one sum.
        factors: `direct` (combustion) or `lifecycle`; never mixed in one sum.
        status: `actual`, `estimated` (modelled after the fact), `forecast` or `static` (a yearly figure).
        source: name of the source that answered.
        fetched_at_utc: when we were told.
        low_g_per_kwh: lower end of the 80 % prediction interval around a forecast; None where nobody gave one.
        high_g_per_kwh: its upper end, likewise.
        passed_over: sources that were to answer before this one, each with why it did not; empty where it was the
            first.

    Raises:
        BadData: a value that is not an intensity, an interval that does not hold it, stamps that are not in UTC or in
            the wrong order, a kind, factors or status that is none of the above, or a name that is no text.
    """

    zone: str
    start_utc: datetime
    end_utc: datetime
    g_per_kwh: float
    kind: Kind
    factors: Factors
    status: Status
    source: str
    fetched_at_utc: datetime
    low_g_per_kwh: float | None = None
    high_g_per_kwh: float | None = None
    passed_over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        value = self.g_per_kwh
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadData(f"{self.source}: intensity for {self.zone} is {reprlib.repr(value)}, not a number")
        if not 0 <= value <= MAX_G_PER_KWH:  # false for NaN, and safe for integers too large for a float
            shown = reprlib.repr(value)
            raise BadData(f"{self.source}: intensity for {self.zone} is {shown} g/kWh, outside 0 to {MAX_G_PER_KWH:g}")
        object.__setattr__(self, "g_per_kwh", float(value))
        low, high = self.low_g_per_kwh, self.high_g_per_kwh
        if (low is None) != (high is None) or (low is not None and high is not None and not 0 <= low <= value <= high):
            raise BadData(f"{self.source}: interval {low} to {high} g/kWh does not hold the forecast {value}")
        for word, known in ((self.kind, Kind), (self.factors, Factors), (self.status, Status)):
            if word not in get_args(known):
                raise BadData(f"{self.source}: {reprlib.repr(word)} is none of {', '.join(get_args(known))}")
        for stamp in (self.start_utc, self.end_utc, self.fetched_at_utc):
            if stamp.utcoffset() != timedelta(0):
                raise BadData(f"{self.source}: time stamp {stamp.isoformat()} for {self.zone} is not in UTC")
        if self.start_utc >= self.end_utc:
            raise BadData(f"{self.source}: span for {self.zone} ends at or before its start {self.start_utc}")

    def _check_names(self) -> None:
        for attribute in ("source", "zone"):
            name = getattr(self, attribute)
            if not isinstance(name, str) or not name:
                raise BadData(f"an intensity's {attribute} is {reprlib.repr(name)}, not a name")
        said = self.passed_over
        if not isinstance(said, tuple) or not all(isinstance(text, str) for text in said):
            raise BadData(f"{self.source}: passed_over is {reprlib.repr(said)}, not a tuple of text")


class Series:
    """Readings of one zone, kind and factors, in order of time and without overlap; gaps are allowed.

    Raises:
        BadData: readings overlap, or mix zones, kinds or factors.
    """

    __slots__ = ("_readings", "_starts")

    def __init__(self, readings: Iterable[Intensity]) -> None:
        ordered = tuple(sorted(readings, key=lambda r: r.start_utc))
        for before, after in pairwise(ordered):
            if before.end_utc > after.start_utc:
                raise BadData(f"{after.source}: spans at {before.start_utc} and {after.start_utc} overlap")
            if (before.zone, before.kind, before.factors) != (after.zone, after.kind, after.factors):
                raise BadData(f"{after.source}: a series cannot mix zones, kinds or factors")
        self._readings = ordered
        self._starts = [r.start_utc for r in ordered]

    @classmethod
    def of_answer(cls, readings: Iterable[Intensity]) -> Series:
        """A series from what a provider sent: in any order, the same reading perhaps twice.

        Raises:
            BadData: two readings of one span that differ, and whatever the constructor refuses.
        """
        by_start: dict[datetime, Intensity] = {}
        for reading in readings:
            known = by_start.setdefault(reading.start_utc, reading)
            if known != reading:
                raise BadData(f"{reading.source}: two different readings for {reading.zone} at {reading.start_utc}")
        return cls(by_start.values())

    def at(self, when_utc: datetime) -> Intensity | None:
        """The reading whose span holds that moment; None in a gap or outside the series."""
        reading = self.last_before(when_utc)
        return reading if reading is not None and when_utc < reading.end_utc else None

    def last_before(self, when_utc: datetime) -> Intensity | None:
        """The last reading that starts at or before that moment; None where all start after it."""
        index = bisect_right(self._starts, when_utc) - 1
        return self._readings[index] if index >= 0 else None

    def between(self, start_utc: datetime, end_utc: datetime) -> Series:
        """The readings whose spans touch [start_utc, end_utc)."""
        first = max(0, bisect_right(self._starts, start_utc) - 1)
        last = bisect_left(self._starts, end_utc)
        return Series(r for r in self._readings[first:last] if r.end_utc > start_utc)

    def mean_g_per_kwh(self, start_utc: datetime, end_utc: datetime) -> float | None:
        """Mean over a span, weighted by time; None where any part of the span is unknown, or it is empty."""
        total, known_s = 0.0, 0.0
        for reading in self.between(start_utc, end_utc):
            share_s = (min(reading.end_utc, end_utc) - max(reading.start_utc, start_utc)).total_seconds()
            total += share_s * reading.g_per_kwh
            known_s += share_s
        asked_s = (end_utc - start_utc).total_seconds()
        return total / known_s if known_s > 0 and known_s >= asked_s else None

    def __iter__(self) -> Iterator[Intensity]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)

    def __getitem__(self, index: int) -> Intensity:
        return self._readings[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series) and self._readings == other._readings

    def __hash__(self) -> int:
        return hash(self._readings)

    def __repr__(self) -> str:
        if not self._readings:
            return "Series(empty)"
        first, last = self._readings[0], self._readings[-1]
        return f"Series({first.zone}, {len(self)} readings, {first.start_utc} to {last.end_utc}, {first.source})"
