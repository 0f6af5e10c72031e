"""Why a measured saving cannot be believed as it stands: in sentences, from counts alone."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Final

from sprout_like.reports.control import Cell

__all__ = ["ENOUGH_CONTROL", "doubts_of"]

ENOUGH_CONTROL: Final = 30
"""Below this many control rows the interval of skewed costs covers the truth less often than it says."""

_NOTABLE: Final = 0.01
"""A share of the requests below which nothing moves a saving by much."""

_DEVIATIONS: Final = 3.0
"""Standard deviations beyond which a difference of two shares is not put down to chance."""

_CHANCE: Final = 1e-4
"""Probability below which an uneven control group is not put down to chance."""

_EXPECTED: Final = 5.0
"""Least expected rows per part of a chi-squared test (Cochran 1954, "Some methods for strengthening the χ² tests")."""

_Each = Mapping[bool, int]


def doubts_of(
    cells: Sequence[Cell], *, versions: Collection[Hashable], errors: Mapping[bool, int], undrawn: int
) -> tuple[str, ...]:
    """The reasons; empty where there is none.

    Args:
        cells: the answered requests that were drawn.
        versions: the policy versions of them that have a control group.
        errors: requests that ended in an error, by whether they were drawn into the control group.
        undrawn: answered requests whose propensity is unknown.
    """
    return tuple(_doubts(cells, versions, errors, undrawn))


def _doubts(
    cells: Sequence[Cell], versions: Collection[Hashable], errors: Mapping[bool, int], undrawn: int
) -> Iterator[str]:
    compared = [cell for cell in cells if cell.path[0] in versions]
    answered, known = _counts(compared)
    if known[True] < ENOUGH_CONTROL:
        yield f"The control group has {known[True]:,} requests; below {ENOUGH_CONTROL} its mean is not leant on."
    every = sum(cell.answered for cell in cells)
    without = every - sum(answered.values())
    if without:
        yield (
            f"{_part(without, every)} requests came under policies without a control group of two: what they saved is "
            "not measured."
        )
    unknown = {control: answered[control] - known[control] for control in (False, True)}
    if _unlike(unknown, answered):
        yield (
            f"The figure is unknown for {_percent(unknown[False], answered[False])} of the policy's requests and "
            f"{_percent(unknown[True], answered[True])} of the control group's; those are taken to be like the known "
            "ones of the same directive and work, which they need not be."
        )
    elif sum(unknown.values()) > sum(known.values()):
        yield "The figure is unknown for more than half of the requests; those are taken to be like the known ones."
    tried = {control: answered[control] + errors[control] for control in (False, True)}
    if _unlike(errors, tried):
        yield (
            f"{_percent(errors[False], tried[False])} of the policy's requests and "
            f"{_percent(errors[True], tried[True])} of the control group's ended in an error, and only answered ones "
            "are compared."
        )
    if undrawn > _NOTABLE * (every + undrawn):
        yield f"{_part(undrawn, every + undrawn)} answered requests were not drawn (propensity unknown): left out."
    if _uneven(compared):
        yield (
            "The control group is not spread over work and hours as chance would spread it: something else than the "
            "draw decides who is in it."
        )


def _counts(cells: Sequence[Cell]) -> tuple[Counter[bool], Counter[bool]]:
    """Answered and known rows by group."""
    answered: Counter[bool] = Counter()
    known: Counter[bool] = Counter()
    for cell in cells:
        answered[cell.control] += cell.answered
        known[cell.control] += cell.known
    return answered, known


def _unlike(some: _Each, all_: _Each) -> bool:
    """Whether the share differs between the groups, by more than chance and by enough to matter (pooled z-test)."""
    if not (all_[False] and all_[True]):
        return False
    difference = abs(some[False] / all_[False] - some[True] / all_[True])
    pooled = (some[False] + some[True]) / (all_[False] + all_[True])
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / all_[False] + 1 / all_[True]))
    return difference > _NOTABLE and difference > _DEVIATIONS * deviation


def _uneven(cells: Sequence[Cell]) -> bool:
    """Whether the control group's share differs between parts of a version's requests (Pearson's χ² test)."""
    from scipy.special import chdtrc

    parts: defaultdict[tuple[Hashable, ...], Counter[bool]] = defaultdict(Counter)
    for cell in cells:
        parts[cell.path][cell.control] += cell.answered
    of_version: defaultdict[Hashable, list[Counter[bool]]] = defaultdict(list)
    for path, counts in parts.items():
        of_version[path[0]].append(counts)
    statistic, freedom = 0.0, 0
    for counted in of_version.values():
        n = sum(counts.total() for counts in counted)
        share = sum(counts[True] for counts in counted) / n
        # Parts too small for the test are left out: each alone says nothing of the draw.
        enough = [counts for counts in counted if min(share, 1 - share) * counts.total() >= _EXPECTED]
        for counts in enough:
            expected = share * counts.total()
            statistic += (counts[True] - expected) ** 2 / (expected * (1 - share))
        freedom += max(0, len(enough) - 1)
    return freedom > 0 and bool(chdtrc(freedom, statistic) < _CHANCE)


def _part(some: int, every: int) -> str:
    return f"{some:,} of {every:,}"


def _percent(some: int, every: int) -> str:
    return f"{100 * some / every:.1f} %"
