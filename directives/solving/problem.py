"""Evidence and constraints as arrays over bins and directives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from directives.constraints import Constraints
from directives.errors import PolicyError
from directives.evidence import Evidence
from directives.solving.costs import filled
from directives.solving.levels import Levels
from directives.solving.shrinking import Moments, Shrunk
from directives.solving.tree import Flags, Floats, Tree
from directives.workload import Bin

__all__ = ["Problem", "Totals", "latency_limit_s"]

FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Score minus `floor` times `full`'s, of all requests at one level: a sum over bins and directives, and its error.

    The sum is `fixed` + Σ `gain` x over nodes and directives. Its errors, in standard deviations, add up as Σ `own` x
    within a node, Σ `of_parent` x among the nodes of one parent and Σ `of_root` x among all; these are independent.
    """

    floor: float
    fixed: float
    gain: Floats
    own: Floats
    of_parent: Floats
    of_root: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Nodes are the bins and their parents; `full` is the first directive.

    Attributes:
        tree: the nodes. directives: the names. levels: the intensities.
        weight: share of the requests per node, summing to 1; without a mix, each bin that has a cell counts the same
            and only lossless directives are selectable.
        energy_j, time_s: per request, by node and directive; NaN where unknown.
        selectable: by node and directive, where there is evidence enough and no constraint against it.
        explored: likewise, where there is not and the constraints allow to try.
        lossless: per directive.
        control, explore, rest: share of the requests of a node in the control group, in exploration, and otherwise.
        counts: whether the work of a node counts in the floors.
        z: standard deviations between a mean and its lower bound.
        moments: what was judged. scores: of that, the mean scores.
    """

    tree: Tree
    directives: tuple[str, ...]
    levels: Levels
    constraints: Constraints
    weight: Floats
    energy_j: Floats
    time_s: Floats
    selectable: Flags
    explored: Flags
    lossless: Flags
    control: float
    explore: Floats
    rest: Floats
    counts: Flags
    z: float
    moments: Moments
    scores: Shrunk

    @classmethod
    def of(cls, evidence: Evidence, constraints: Constraints, now_g_per_kwh: float | None) -> Problem:
        """Lay out what is known.

        Raises:
            PolicyError: shares that do not sum to 1, two cells for one thing, or `full` is forbidden.
        """
        _check(evidence, constraints)
        has_mix = any(share > 0 for share in evidence.mix.values())
        measured = dict.fromkeys(cell.bin for cell in evidence.cells)
        mix = evidence.mix if has_mix else dict.fromkeys(measured or (Bin(),), 1.0)
        # Tasks of which something else is asked get a row of their own, also before their first request.
        apart = [Bin(task=task) for task in (*constraints.forbidden, *constraints.latency_limit_s)]
        tree = Tree.of([*(node for node, share in mix.items() if share > 0), *measured, *apart])
        weight = np.array([mix.get(node, 0.0) for node in tree.bins])
        seen = {cell.directive for cell in evidence.cells}
        proven = seen - {cell.directive for cell in evidence.cells if not cell.lossless}
        directives = (FULL, *sorted((seen | set(constraints.pinned.values())) - {FULL}))
        lossless = np.array([name == FULL or name in proven for name in directives])
        energy_j, time_s, moments = _figures(evidence, tree, directives)

        judged = moments.judged | lossless
        known = np.isfinite(energy_j)
        allowed, pins = _allowed(tree, directives, constraints)
        limits = np.array([latency_limit_s(node.task, constraints.latency_limit_s) for node in tree.bins])
        evident = known & judged & (np.isfinite(time_s) | np.isinf(limits)[:, None])
        selectable = allowed & evident & (has_mix | lossless)
        explored = allowed & ~evident & np.array([name in seen for name in directives])
        selectable[:, 0], explored[:, 0] = True, False
        pinned = np.flatnonzero(pins >= 0)
        selectable[pinned], explored[pinned] = False, False
        selectable[pinned, pins[pinned]] = True
        counts = np.ones(len(weight), dtype=bool)
        counts[pinned] = judged[pinned, pins[pinned]]
        explore = np.where(explored.any(axis=1), constraints.explore_share, 0.0)
        return cls(
            tree=tree,
            directives=directives,
            levels=Levels.of(evidence.intensities_g_per_kwh, now_g_per_kwh),
            constraints=constraints,
            weight=weight / weight.sum(),
            energy_j=energy_j,
            time_s=time_s,
            selectable=selectable,
            explored=explored,
            lossless=lossless,
            control=constraints.control_share,
            explore=explore,
            rest=1 - constraints.control_share - explore,
            counts=counts,
            z=_bound(constraints.confidence, int((selectable & ~lossless).sum(axis=1).max(initial=0))),
            moments=moments,
            scores=moments.shrunk(0.0),
        )

    def totals(self, floor: float) -> Totals:
        """The sum that must not be below 0 for `floor` to hold.

        `full` is worth 1 - floor of its own score, and so is whatever is lossless. Exploration is counted as if every
        answer of a lossy directive scored nothing. That `full` throughout is worth that much needs no proof, so its
        error never takes more than there is. Where nothing was judged, the unit of scores does not matter and is 1.
        """
        score, error = self._score_of_full()
        risk = np.where((self.explored & ~self.lossless).any(axis=1), self.explore, 0.0)
        surplus = np.maximum((1 - risk) * (1 - floor) - risk * floor, 0.0) / (1 - risk)
        scale = np.full(len(score), 1 - floor)
        if self.z > 0:
            some = error > 0
            scale[some] = np.minimum(scale[some], surplus[some] * score[some] / (self.z * error[some]))
        lossy = self.moments.shrunk(floor) if floor > 0 else self.scores
        counted = self.weight * self.counts
        part = (counted * self.rest)[:, None]

        def figure(of_lossy: Floats, of_full: Floats) -> Floats:
            return np.asarray(part * np.where(self.lossless, of_full[:, None], np.nan_to_num(of_lossy)))

        steady = self.control + self.explore - risk
        return Totals(
            floor=floor,
            fixed=float((counted * (steady * (1 - floor) - risk * floor) * score).sum()),
            gain=figure(lossy.mean, (1 - floor) * score),
            own=figure(lossy.own, scale * np.nan_to_num(self.scores.own[:, 0])),
            of_parent=figure(lossy.of_parent, scale * np.nan_to_num(self.scores.of_parent[:, 0])),
            of_root=figure(lossy.of_root, scale * np.nan_to_num(self.scores.of_root[:, 0])),
        )

    @property
    def full_total(self) -> float:
        """Score of `full` per request of all traffic, of the work that counts in the floors; 1 where none does."""
        score, _ = self._score_of_full()
        counted = self.weight * self.counts
        return float((counted * score).sum()) if counted.any() else 1.0

    @property
    def full_score(self) -> float:
        """Mean score of `full` over the work that counts in the floors; 1 where nothing was judged."""
        counted = self.weight * self.counts
        return self.full_total / float(counted.sum()) if counted.any() else 1.0

    def _score_of_full(self) -> tuple[Floats, Floats]:
        """Per node, its mean and all its errors added up."""
        scores, full = self.scores, 0
        known = np.isfinite(scores.mean[:, full])
        error = scores.own[:, full] + scores.of_parent[:, full] + scores.of_root[:, full]
        return np.where(known, scores.mean[:, full], 1.0), np.where(known, error, 0.0)


def _bound(confidence: float, lossy: int) -> float:
    """Standard deviations for what will be served, not for what was judged alone, hence √2; of each of so many at once.

    A plan takes what looks best of the lossy directives, so that the bound has to hold for all of them (Bonferroni).
    """
    return math.sqrt(2) * NormalDist().inv_cdf(1 - (1 - confidence) / max(lossy, 1))


def _check(evidence: Evidence, constraints: Constraints) -> None:
    total = math.fsum(evidence.mix.values())
    if evidence.mix and not (math.isclose(total, 1, abs_tol=1e-6) and min(evidence.mix.values()) >= 0):
        raise PolicyError(f"mix: the shares sum to {total:g}; give shares of the requests, >= 0, that sum to 1")
    task = next((task for task, names in constraints.forbidden.items() if FULL in names), None)
    if task is not None:
        raise PolicyError(f"forbidden: 'full' is, for task {task!r}, but it stands in where nothing else can; allow it")


def _figures(evidence: Evidence, tree: Tree, directives: tuple[str, ...]) -> tuple[Floats, Floats, Moments]:
    """Energy, time and judged prompts, by node and directive."""
    column = {name: i for i, name in enumerate(directives)}
    cells = [(tree.index[cell.bin], column[cell.directive], cell) for cell in evidence.cells]
    shape = (len(tree.bins), len(directives))
    if len({node * len(directives) + directive for node, directive, _ in cells}) < len(cells):
        places = [place[:2] for place in cells]
        node, directive = next(place for place in places if places.count(place) > 1)
        raise PolicyError(
            f"cells: there are two of directive {directives[directive]!r} in bin {tree.bins[node]}; merge them"
        )
    energy, time = np.full(shape, np.nan), np.full(shape, np.nan)
    for node, directive, cell in cells:
        if cell.energy_j is not None:
            energy[node, directive] = cell.energy_j.mean
        if cell.time_s is not None:
            time[node, directive] = cell.time_s.mean
    return filled(energy, tree), filled(time, tree), Moments.of(cells, shape, tree)


def _allowed(tree: Tree, directives: tuple[str, ...], constraints: Constraints) -> tuple[Flags, npt.NDArray[np.intp]]:
    """By node and directive, what is not forbidden; and per node the pinned directive, -1 where there is none."""
    everywhere = constraints.forbidden.get("", frozenset())
    by_task = {
        task: np.array([name not in everywhere | constraints.forbidden.get(task, frozenset()) for name in directives])
        for task in {node.task for node in tree.bins}
    }
    pins = [constraints.pinned.get(node.task) for node in tree.bins]
    places = [-1 if pin is None else directives.index(pin) for pin in pins]
    return np.stack([by_task[node.task] for node in tree.bins]), np.array(places, dtype=np.intp)


def latency_limit_s(task: str, limits: Mapping[str, float]) -> float:
    """The limit of a task; infinite where there is none."""
    return limits.get(task, limits.get("", math.inf))
