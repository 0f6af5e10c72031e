"""Points in steps coarse enough to be read: of a year, weeks rather than 365 days."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sprout_like.reports.report import Point

__all__ = ["Steps", "steps"]

_MOST: Final = 100
"""Steps that a plot of 600 units can tell apart."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_SIZES: Final = (
    ("hour", _HOUR),
    ("3 hours", 3 * _HOUR),
    ("day", _DAY),
    ("week", 7 * _DAY),
    ("4 weeks", 28 * _DAY),
    ("year", 364 * _DAY),
)
_MONDAY: Final = timedelta(days=4)
"""From a Thursday, 1 January 1970, to the next Monday: weeks begin on Mondays."""

Basis = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Steps:
    """Sums in equal steps.

    Attributes:
        name: of a step, e.g. `day`. length: of a step. starts_utc: rising; steps without any request are left out.
        sums: in each step, by kind and factors.
    """

    name: str
    length: timedelta
    starts_utc: Sequence[datetime]
    sums: Sequence[dict[Basis, Point]]

    @property
    def bases(self) -> list[Basis]:
        """Kinds and factors, those with the most energy first."""
        used: defaultdict[Basis, float] = defaultdict(float)
        for step in self.sums:
            for basis, point in step.items():
                used[basis] += point.energy_j or 0.0
        return sorted(used, key=lambda basis: (basis[0] is None, -used[basis], str(basis)))

    def energy_j(self) -> list[float | None]:
        """Of all bases together, step by step, in J."""
        return [_sum(point.energy_j for point in step.values()) for step in self.sums]

    def requests(self) -> list[int]:
        """Of all bases together, step by step."""
        return [sum(point.requests for point in step.values()) for step in self.sums]

    def of(self, basis: Basis) -> list[Point | None]:
        """Those of one basis, step by step."""
        return [step.get(basis) for step in self.sums]


def steps(points: Sequence[Point], step: Literal["hour", "day"]) -> Steps:
    """The points, one at least, in the finest steps of which there are not too many."""
    first, last = min(p.start_utc for p in points), max(p.start_utc for p in points)
    usable = _SIZES[next(place for place, (name, _) in enumerate(_SIZES) if name == step) :]
    name, length = next(((n, size) for n, size in usable if (last - first) / size < _MOST), usable[-1])
    together: defaultdict[datetime, defaultdict[Basis, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        start = _start(point.start_utc, length)
        together[start][point.intensity_kind, point.intensity_factors].append(point)
    starts = sorted(together)
    sums = [{basis: _merged(start, parts) for basis, parts in together[start].items()} for start in starts]
    return Steps(name, length, starts, sums)


def _start(at: datetime, length: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=at.tzinfo) + (_MONDAY if length > _DAY else timedelta())
    return epoch + (at - epoch) // length * length


def _merged(start: datetime, parts: Sequence[Point]) -> Point:
    if len(parts) == 1 and parts[0].start_utc == start:
        return parts[0]
    weighed = [
        (part.intensity_g_per_kwh, part.energy_j)
        for part in parts
        if part.intensity_g_per_kwh is not None and part.energy_j is not None
    ]
    weight = math.fsum(energy for _, energy in weighed)
    mean = math.fsum(level * energy for level, energy in weighed) / weight if weight > 0 else None
    return Point(
        start_utc=start,
        intensity_kind=parts[0].intensity_kind,
        intensity_factors=parts[0].intensity_factors,
        requests=sum(part.requests for part in parts),
        energy_j=_sum(part.energy_j for part in parts),
        operational_g=_sum(part.operational_g for part in parts),
        intensity_g_per_kwh=mean,
    )


def _sum(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return math.fsum(known) if known else None
