"""Several sources as one: the first that answers, and why the ones before it did not."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from grid.errors import BadData, SourceError, SourceSpecError, ZoneError
from grid.intensity import Intensity, Series
from grid.live.asking import ask_latest, ask_series, check_covers, joined
from grid.live.stated import check_stated
from grid.source import Capability, Source

__all__ = ["FallbackSource"]

_CHOOSE_FACTORS = frozenset({"electricity-maps", "entsoe", "eia", "static", "trace"})


class FallbackSource:
    """Asks sources in order; every reading says in `passed_over` which ones did not answer, and why.

    A member's bug counts as no answer. So does, for `latest`, a reading that ended more than `late_s` ago: a later
    source's better one goes before it, and it is given only where nobody has a better one. A forecast or a history is
    one member's, whole; what it lacks is not filled up from others.

    Args:
        sources: in order of preference, one or more; closed with this object. They may be such chains themselves.
        mix: whether the sources may differ in kind or factors. Then so may the readings; `kind` and `factors` are those
            of the first source.
        late_s: how long ago a reading may have ended, in s; by default as long as `Grid` holds one.

    Raises:
        SourceSpecError: there is no source, one misstates itself, or they differ in kind or factors and `mix` is False.
    """

    def __init__(self, sources: Iterable[Source], *, mix: bool = False, late_s: float = 3 * 3600.0) -> None:
        self.sources: Sequence[Source] = tuple(sources)
        if not self.sources:
            raise SourceSpecError("grid: a chain of sources needs one or more, and there is none")
        for source in self.sources:
            check_stated(source)
        self._mix = mix
        self._late_s = late_s
        self.name = " > ".join(source.name for source in self.sources)
        self.can: frozenset[Capability] = frozenset().union(*(source.can for source in self.sources))
        self.kind, self.factors = self.sources[0].kind, self.sources[0].factors
        self.slot_s = min(source.slot_s for source in self.sources)
        for before, after in pairwise(self.sources):
            if not mix and (before.kind, before.factors) != (after.kind, after.factors):
                raise SourceSpecError(
                    f"grid: {before.name} gives {before.kind} intensity with {before.factors} factors and {after.name} "
                    f"{after.kind} with {after.factors}, and the two do not add up. {_way_out(before, after)}Leave one "
                    "out, or allow it: set grid_mix = true, or SPROUT_GRID_MIX=true, or in code mix=True"
                )

    def check_zone(self, zone: str) -> None:
        """Accept a zone that every member covers.

        Raises:
            ZoneError: a member does not; the message names it.
            SourceSpecError: a member's own code fails.
        """
        for source in self.sources:
            try:
                check_covers(source, zone)
            except ZoneError as exc:
                text = str(exc).removeprefix("zone: ")
                raise ZoneError(
                    f"zone: {zone!r} is not covered by {source.name}, one of {self.name!r}: {text}"
                ) from exc

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The first member's reading that is not late; where all are late, the newest.

        Raises:
            SourceError: nobody answered; the kind of error that is most worth a retry, with what each one said.
        """
        self.check_zone(zone)
        errors: list[SourceError] = []
        passed_over: list[str] = []
        late: list[tuple[Intensity, str]] = []
        for source in self.sources:
            try:
                reading = ask_latest(source, zone, now_utc)
                self._check(source, reading)
            except SourceError as exc:
                errors.append(exc)
                passed_over.append(_said(source, exc))
                continue
            if (now_utc - reading.end_utc).total_seconds() <= self._late_s:
                return _after(passed_over, reading)
            passed_over.append(f"{source.name}: its newest reading ended {reading.end_utc}")
            late.append((reading, passed_over[-1]))
        if not late:
            raise joined(errors)
        newest, its_own = max(late, key=lambda pair: pair[0].end_utc)
        return _after([said for said in passed_over if said != its_own], newest)

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The forecast of the first member that has one.

        Raises:
            SourceError: none has; as in `latest`.
        """
        return self._first("forecast", zone, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The history of the first member that has one.

        Raises:
            SourceError: none has; as in `latest`.
        """
        return self._first("history", zone, start_utc, end_utc)

    def close(self) -> None:
        """Close every member, also where closing another fails; safe to call twice."""
        with contextlib.ExitStack() as closing:
            for source in reversed(self.sources):
                closing.callback(source.close)

    def _first(
        self, capability: Literal["forecast", "history"], zone: str, start_utc: datetime, end_utc: datetime
    ) -> Series:
        self.check_zone(zone)
        errors: list[SourceError] = []
        passed_over: list[str] = []
        for source in self.sources:
            try:
                series = ask_series(source, capability, zone, start_utc, end_utc)
                self._check(source, series[0])
            except SourceError as exc:
                errors.append(exc)
                passed_over.append(_said(source, exc))
            else:
                return Series(_after(passed_over, reading) for reading in series) if passed_over else series
        raise joined(errors)

    def _check(self, source: Source, reading: Intensity) -> None:
        if not self._mix and (reading.kind, reading.factors) != (self.kind, self.factors):
            raise BadData(
                f"{source.name}: it gave {reading.kind} intensity with {reading.factors} factors, not {self.kind} with "
                f"{self.factors} as it says it does"
            )


def _way_out(before: Source, after: Source) -> str:
    """How the two can be made to agree, where the factors are all that differs and one of them has a choice."""
    if before.kind != after.kind:
        return ""
    for one, other in ((after, before), (before, after)):
        name = one.name.partition(":")[0]
        if name in _CHOOSE_FACTORS:
            return f"Give {name} the option ?factors={other.factors}. "
    return ""


def _said(source: Source, exc: SourceError) -> str:
    text = str(exc)
    return text if text.startswith(source.name) else f"{source.name}: {text}"


def _after(passed_over: Sequence[str], reading: Intensity) -> Intensity:
    if not passed_over:
        return reading
    return dataclasses.replace(reading, passed_over=(*passed_over, *reading.passed_over))
