"""The headlines, the lines, and the course of things over time and over intensity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from sprout_like.reports.grouping import TIMES
from sprout_like.reports.report import Headline, IntensityClass, Line, MixPoint, Point
from sprout_like.reports.sections.reading import FINE_G_PER_KWH, Cell, Group
from sprout_like.reports.sections.sums import Sums, emission, ratio, size, usage

__all__ = ["SERVED", "by_key", "classes", "headlines", "lines", "mix", "points"]

SERVED: Final = ("request", "job")
"""Purposes that answer somebody; the others are run to compare, judge and measure."""

_PURPOSES: Final = ("request", "job", "baseline", "evaluation", "calibration")
_MOST_CLASSES: Final = 8
_WIDTHS: Final = (10, 20, 50, 100, 200, 500, 1000)

_Key = TypeVar("_Key", bound=Hashable)


def by_key(cells: Iterable[Cell], key: Callable[[Cell], _Key]) -> dict[_Key, Sums]:
    """The sums of the cells that share a key."""
    parts: defaultdict[_Key, list[Sums]] = defaultdict(list)
    for cell in cells:
        parts[key(cell)].append(cell.sums)
    return {found: Sums.over(of) for found, of in parts.items()}


def headlines(cells: Sequence[Cell]) -> tuple[Headline, ...]:
    """A line per purpose, those that answer somebody first."""
    whole = by_key(cells, lambda cell: cell.purpose)
    apart = by_key(cells, lambda cell: (cell.purpose, cell.kind, cell.factors))
    return tuple(
        Headline(
            purpose=purpose,
            usage=usage(whole[purpose]),
            emissions=tuple(
                emission(kind, factors, sums)
                for (of, kind, factors), sums in sorted(apart.items(), key=lambda item: _words(item[0]))
                if of == purpose
            ),
        )
        for purpose in sorted(whole, key=_purpose)
    )


def lines(groups: Mapping[Group, Sums], by: Sequence[str], *, idle_j: float | None = None) -> tuple[Line, ...]:
    """The groups: by purpose, then in order of time where time is asked for, then the largest energy first.

    Args:
        groups: their sums.
        by: the dimensions.
        idle_j: energy that is to be shared out over all lines, by their energy; None for none.
    """
    total_j = math.fsum(sums.energy_j or 0.0 for sums in groups.values())
    timed = [place for place, name in enumerate(by) if name in TIMES]

    def order(item: tuple[Group, Sums]) -> tuple[object, ...]:
        (values, purpose, kind, factors), sums = item
        when = tuple(values[place] or "" for place in timed)
        return (_purpose(purpose), when, -size(sums.energy_j), _words(values), _words((kind, factors)))

    def share(sums: Sums) -> float | None:
        part = ratio(sums.energy_j, total_j)
        return None if idle_j is None or part is None else idle_j * part

    return tuple(
        Line(
            group=values, purpose=purpose, usage=usage(sums, idle_j=share(sums)), emission=emission(kind, factors, sums)
        )
        for (values, purpose, kind, factors), sums in sorted(groups.items(), key=order)
    )


def points(cells: Iterable[Cell]) -> tuple[Point, ...]:
    """What answered somebody, over time."""
    served = (cell for cell in cells if cell.purpose in SERVED)
    found = by_key(served, lambda cell: (cell.start_utc, cell.kind, cell.factors))
    return tuple(
        Point(
            start_utc=start_utc,
            intensity_kind=kind,
            intensity_factors=factors,
            requests=sums.requests_n,
            energy_j=sums.energy_j,
            operational_g=sums.operational_g,
            intensity_g_per_kwh=emission(kind, factors, sums).intensity_g_per_kwh,
        )
        for (start_utc, kind, factors), sums in sorted(
            found.items(), key=lambda item: (item[0][0], _words(item[0][1:]))
        )
    )


def mix(cells: Iterable[Cell]) -> tuple[MixPoint, ...]:
    """The directives of users' requests, over time."""
    requests = (cell for cell in cells if cell.purpose == "request")
    found = by_key(requests, lambda cell: (cell.start_utc, cell.directive))
    return tuple(
        MixPoint(start_utc=start_utc, directive=directive, requests=sums.requests_n, energy_j=sums.energy_j)
        for (start_utc, directive), sums in sorted(found.items())
    )


def classes(levels: Iterable[tuple[str, str, str, int, int]]) -> tuple[IntensityClass, ...]:
    """The directives of users' requests by intensity, in classes so wide that there are few of them."""
    known = list(levels)
    found: defaultdict[tuple[str, str, int, str], int] = defaultdict(int)
    widths: dict[tuple[str, str], int] = {}
    for source in {(kind, factors) for kind, factors, *_ in known}:
        places = [place for kind, factors, _, place, _ in known if (kind, factors) == source]
        widths[source] = _width(min(places), max(places))
    for kind, factors, directive, place, requests in known:
        found[kind, factors, place * FINE_G_PER_KWH // widths[kind, factors], directive] += requests
    return tuple(
        IntensityClass(
            intensity_kind=kind,
            intensity_factors=factors,
            low_g_per_kwh=float(number * widths[kind, factors]),
            high_g_per_kwh=float((number + 1) * widths[kind, factors]),
            directive=directive,
            requests=requests,
        )
        for (kind, factors, number, directive), requests in sorted(found.items())
    )


def _width(lowest: int, highest: int) -> int:
    """The narrowest of the round widths that makes few classes of all from one fine class to the other."""
    for width in _WIDTHS:
        per_class = width // FINE_G_PER_KWH
        if highest // per_class - lowest // per_class < _MOST_CLASSES:
            return width
    return _WIDTHS[-1]


def _purpose(name: str) -> tuple[int, str]:
    return (_PURPOSES.index(name) if name in _PURPOSES else len(_PURPOSES), name)


def _words(values: Iterable[str | None]) -> tuple[tuple[bool, str], ...]:
    """A total order of texts of which some are None; these come last."""
    return tuple((value is None, value or "") for value in values)
