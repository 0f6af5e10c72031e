"""What was published for a span, from the readings that are at hand. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from grid import Intensity, Series
from sprout_like.settlement.figures import Group

__all__ = ["Figure", "Published"]

_Status = Literal["actual", "estimated"]
_BySource = Mapping[str, Series]


@dataclass(frozen=True, slots=True)
class Figure:
    """The intensity over one span.

    Attributes:
        g_per_kwh: mean over the span, weighted by time.
        status: `actual`; `estimated` where any part of the span is.
        source: who published all of it.
    """

    g_per_kwh: float
    status: _Status
    source: str


class Published:
    """Readings of any zones, kinds and sources; each span is answered from one source, for one kind and factors.

    Args:
        readings: forecasts and static figures among them are passed over.
        estimated: take estimated figures where a source has no actual ones.
    """

    def __init__(self, readings: Iterable[Intensity], *, estimated: bool = False) -> None:
        actual: list[Intensity] = []
        either: list[Intensity] = []
        for reading in readings:
            if reading.status == "actual":
                actual.append(reading)
            if reading.status in ("actual", "estimated"):
                either.append(reading)
        self._levels: list[tuple[_Status, Mapping[Group, _BySource]]] = [("actual", _sorted_out(actual))]
        if estimated:
            self._levels.append(("estimated", _sorted_out(either)))

    def over(
        self, group: Group, start_utc: datetime, end_utc: datetime, *, preferred: Sequence[str | None] = ()
    ) -> Figure | None:
        """The figure for the whole span, a moment where it is empty; None where no source covers it without a gap.

        Args:
            group: zone, kind and factors.
            start_utc: where the span begins.
            end_utc: where it ends.
            preferred: sources to take first where several cover it; the others follow by name.
        """
        for status, groups in self._levels:
            series = groups.get(group, {})
            for source in sorted(series, key=lambda name: (*(name != wanted for wanted in preferred), name)):
                mean = _mean_g_per_kwh(series[source], start_utc, end_utc)
                if mean is not None:
                    return Figure(mean, status, source)
        return None


def _sorted_out(readings: Iterable[Intensity]) -> Mapping[Group, _BySource]:
    found: defaultdict[tuple[Group, str], list[Intensity]] = defaultdict(list)
    for reading in readings:
        found[Group(reading.zone, reading.kind, reading.factors), reading.source].append(reading)
    groups: defaultdict[Group, dict[str, Series]] = defaultdict(dict)
    for (group, source), of_source in found.items():
        groups[group][source] = _without_overlap(of_source)
    return groups


def _without_overlap(readings: Iterable[Intensity]) -> Series:
    """One reading for each moment: the actual before the estimate, then the one fetched last.

    A source's readings overlap where an estimate was followed by an actual, or where its slots changed length.
    """
    kept: list[Intensity] = []
    for reading in sorted(readings, key=_rank):
        place = bisect_left(kept, reading.start_utc, key=lambda other: other.start_utc)
        after_the_last = place == 0 or kept[place - 1].end_utc <= reading.start_utc
        before_the_next = place == len(kept) or reading.end_utc <= kept[place].start_utc
        if after_the_last and before_the_next:
            kept.insert(place, reading)
    return Series(kept)


def _rank(reading: Intensity) -> tuple[bool, float, datetime]:
    return (reading.status != "actual", -reading.fetched_at_utc.timestamp(), reading.start_utc)


def _mean_g_per_kwh(series: Series, start_utc: datetime, end_utc: datetime) -> float | None:
    if end_utc > start_utc:
        return series.mean_g_per_kwh(start_utc, end_utc)
    reading = series.at(start_utc)
    return None if reading is None else reading.g_per_kwh
