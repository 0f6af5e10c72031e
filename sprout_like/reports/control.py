"""A policy's cost per request as a share of `full`'s, from sums over its own rows and over its control group's.

The quantity estimated. Let the requests i of a span arrive when, and with what prompt, they did. Under the policy in
force at its time, request i costs Y_i(policy) in expectation over the directive drawn and the answer generated; served
`full`, it costs Y_i(full). Estimated is R = Σ Y_i(policy) / Σ Y_i(full) over all these requests, whether they were
drawn into the control group or not. The saving is 1 - R.

The estimate is the combined ratio estimator (Cochran, Sampling Techniques, 3rd ed., sections 6.2 and 6.11). The control
group is small, so the work and the hours that fell into it by chance differ from everybody else's. Each of its requests
is therefore set against what requests like it cost under the policy: the mean m_h of the policy's rows of its stratum h
(policy version, model, task, zone, level of intensity). R is the sum of those means over the sum of the control group's
own costs; what is shared by a stratum cancels. Rows of unknown cost are made up for by known rows of the same
directive, model and task, so that a directive whose energy is often unknown keeps its weight.

Costs of requests are so skewed that a small control group mostly lacks the few dear ones: its mean is then too low and,
in the same samples, its scatter too. So the scatter is borrowed from the policy's many rows of the same strata, whose
costs are the same prompts' in the same proportions; the more control rows there are, the more their own counts. How
often the interval covers the truth, with both and without, is in benchmarks/results/savings_proof.json.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["Cell", "Ratio", "ratio_of"]

_CONFIDENCE: Final = 0.95

_ENOUGH_POLICY: Final = 10
"""Rows of the policy that a stratum needs for a mean to compare with; with fewer it joins the next coarser one."""

_ENOUGH_CONTROL: Final = 10
"""Control rows with which a part of the work is weighted by its own share of all requests, likewise."""

_BORROWED_ROWS: Final = 1000
"""For how many control rows the policy's relative scatter stands when that of the control group is estimated."""

_Path = tuple[Hashable, ...]
_Groups = Mapping[_Path, _Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Sums over answered requests that are alike, of one group.

    Attributes:
        path: what they share, from the coarsest to the finest, the policy version first; parts of unlike paths are
            compared within the longest beginning that has rows enough.
        control: of the control group.
        directive: what they were served.
        answered: how many. known: how many of them know the quantity.
        total, squares: sum of the quantity and of its squares over those that know it.
    """

    path: _Path
    control: bool
    directive: str
    answered: int
    known: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The policy's cost as a share of `full`'s.

    Attributes:
        ratio: R.
        policy_mean, full_mean: cost per request under the policy and served `full`, over all requests.
        policy_n, control_n: known rows compared. versions: the policy versions that could be.
        control_variance, policy_variance: of ln R, by which group's scatter causes it.
        freedom: degrees of freedom of their sum (Welch and Satterthwaite).
    """

    ratio: float
    policy_mean: float
    full_mean: float
    policy_n: int
    control_n: int
    versions: frozenset[Hashable]
    control_variance: float
    policy_variance: float
    freedom: float

    def saving(self, burden: float = 0.0) -> tuple[float, float, float]:
        """Saving and its 95 % interval; `burden` is a known cost of each request under the policy beside its own.

        By the delta method on the logarithm (Casella and Berger, Statistical Inference, 2nd ed., section 5.5.4), with
        Student's quantile for the freedom: with few control rows their own scatter is not well known.
        """
        from scipy.special import stdtrit

        borne = 1 + burden / self.policy_mean
        variance = self.control_variance + self.policy_variance / borne**2
        ratio = self.ratio * borne
        quantile = float(stdtrit(self.freedom, (1 + _CONFIDENCE) / 2))
        spread = math.exp(quantile * math.sqrt(variance))
        return 1 - ratio, 1 - ratio * spread, 1 - ratio / spread


@dataclass(frozen=True, slots=True)
class _Rows:
    """A cell's known rows, each of which stands for `weight` rows."""

    path: _Path
    n: int
    total: float
    squares: float
    weight: float

    def scatter(self, slope: float, center: float) -> tuple[float, float]:
        """Sum, and sum of squares, of the weighted slope·y - center."""
        first = self.weight * (slope * self.total - self.n * center)
        second = slope**2 * self.squares - 2 * slope * center * self.total + self.n * center**2
        return first, self.weight**2 * max(0.0, second)

    def squares_about(self, center: float) -> float:
        """Weighted sum of squares about a mean."""
        return self.weight * max(0.0, self.squares - 2 * center * self.total + self.n * center**2)


def ratio_of(cells: Iterable[Cell]) -> Ratio | None:
    """The ratio; None with fewer than two known rows in a group, or where a mean is not above zero.

    Policy versions with fewer than two known rows in a group are left out: nothing can be said of them.
    """
    compared = list(_comparable(cells))
    if not compared:
        return None
    arrived: Counter[_Path] = Counter()
    for cell in compared:
        arrived[cell.path] += cell.answered
    rows: dict[bool, list[_Rows]] = {False: [], True: []}
    for cell, weight in _weighted(compared):
        rows[cell.control].append(_Rows(cell.path, cell.known, cell.total, cell.squares, weight))
    policy, control = rows[False], rows[True]
    strata = _joined(arrived, policy, _ENOUGH_POLICY)
    parts = _joined(arrived, control, _ENOUGH_CONTROL)
    of_part = _sums(parts, arrived.items())
    drawn = _sums(parts, ((row.path, row.n * row.weight) for row in control))
    control = [replace(row, weight=row.weight * of_part[parts[row.path]] / drawn[parts[row.path]]) for row in control]
    return _combined(policy, control, strata, parts, sum(arrived.values()))


def _combined(
    policy: Sequence[_Rows], control: Sequence[_Rows], strata: _Groups, parts: _Groups, arrived: int
) -> Ratio | None:
    """The ratio of two sums over the control group, and its variance by linearisation (Cochran, section 6.4)."""
    stands_for = _sums(strata, ((row.path, row.n * row.weight) for row in policy))
    sums = _sums(strata, ((row.path, row.total * row.weight) for row in policy))
    means = {group: total / stands_for[group] for group, total in sums.items()}
    wanted = _sums(strata, ((row.path, row.n * row.weight) for row in control))
    under_policy = math.fsum(weight * means[group] for group, weight in wanted.items())
    under_full = math.fsum(row.weight * row.total for row in control)
    if not (under_policy > 0 and under_full > 0):
        return None
    ratio = under_policy / under_full
    own = _variance(parts, ((row, ratio, means[strata[row.path]]) for row in control))
    each = (
        (replace(row, weight=row.weight * wanted.get(group, 0.0) / stands_for[group]), 1.0, means[group])
        for row in policy
        for group in (strata[row.path],)
    )
    policy_n, control_n = sum(row.n for row in policy), sum(row.n for row in control)
    scatter = _sums(strata, ((row.path, row.squares_about(means[strata[row.path]])) for row in policy))
    borrowed = math.fsum(
        row.weight**2 * row.n * scatter[group] / stands_for[group] for row in control for group in (strata[row.path],)
    )
    of_control = (control_n * own + _BORROWED_ROWS * borrowed) / (control_n + _BORROWED_ROWS)
    of_policy = _variance(strata, each)
    size = under_policy**2
    return Ratio(
        ratio=ratio,
        policy_mean=under_policy / arrived,
        full_mean=under_full / arrived,
        policy_n=policy_n,
        control_n=control_n,
        versions=frozenset(row.path[0] for row in control),
        control_variance=of_control / size,
        policy_variance=of_policy / size,
        freedom=_freedom(of_control, control_n - 1, of_policy, policy_n - 1),
    )


def _freedom(one: float, freedom: int, other: float, other_freedom: int) -> float:
    """Of the sum of two variances (Welch 1947, Satterthwaite 1946)."""
    doubt = one**2 / freedom + other**2 / other_freedom
    return (one + other) ** 2 / doubt if doubt > 0 else math.inf


def _comparable(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Those of versions with two known rows in either group."""
    of_version: defaultdict[Hashable, list[Cell]] = defaultdict(list)
    for cell in cells:
        of_version[cell.path[0]].append(cell)
    for group in of_version.values():
        known = Counter({True: 0, False: 0})
        for cell in group:
            known[cell.control] += cell.known
        if min(known.values()) >= 2:
            yield from group


def _weighted(cells: Iterable[Cell]) -> Iterator[tuple[Cell, float]]:
    """With how many answered requests each known row stands for, of those served the same in the same work."""
    alike: defaultdict[Hashable, list[Cell]] = defaultdict(list)
    for cell in cells:
        alike[cell.path[:-1], cell.control, cell.directive].append(cell)
    for group in alike.values():
        known = sum(cell.known for cell in group)
        weight = sum(cell.answered for cell in group) / known if known else 0.0
        yield from ((cell, weight) for cell in group if cell.known)


def _joined(paths: Iterable[_Path], rows: Iterable[_Rows], enough: int) -> _Groups:
    """The group of each path: itself, or together with others of the same beginning until there are rows enough.

    What is too little even for a policy version joins that version's smallest group.
    """
    counts: Counter[_Path] = Counter(dict.fromkeys(paths, 0))
    for row in rows:
        counts[row.path] += row.n
    joined: dict[_Path, list[_Path]] = {path: [path] for path in counts}
    for depth in range(max(map(len, counts)), 1, -1):
        for key in [key for key in joined if len(key) == depth]:
            if sum(counts[path] for path in joined[key]) < enough:
                joined.setdefault(key[:-1], []).extend(joined.pop(key))
    sizes = {key: sum(counts[path] for path in members) for key, members in joined.items()}
    for key in [key for key in joined if len(key) == 1 and sizes[key] < enough]:
        others = [other for other in joined if other[0] == key[0] and other != key]
        if others:
            joined[min(others, key=lambda other: (sizes[other], str(other)))] += joined.pop(key)
    return {path: key for key, members in joined.items() for path in members}


def _variance(groups: _Groups, deviations: Iterable[tuple[_Rows, float, float]]) -> float:
    """Of the sum over all rows of slope·y - center, each group's number of rows taken as given."""
    sums: defaultdict[_Path, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row, slope, center in deviations:
        first, second = row.scatter(slope, center)
        of = sums[groups[row.path]]
        of[0] += row.n
        of[1] += first
        of[2] += second
    return math.fsum(max(0.0, second - first**2 / n) * n / (n - 1) for n, first, second in sums.values() if n >= 2)


def _sums(groups: _Groups, figures: Iterable[tuple[_Path, float]]) -> dict[_Path, float]:
    sums: defaultdict[_Path, float] = defaultdict(float)
    for path, figure in figures:
        sums[groups[path]] += figure
    return sums
