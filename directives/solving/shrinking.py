"""Judged quality per bin, pulled towards the parent where judged prompts are few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from directives.evidence import Known
from directives.solving.tree import Flags, Floats, Tree

__all__ = ["Moments", "Shrunk"]

_SEEN = 3
"""Nodes from which on it can be seen how much they differ."""

_WIN_AND_LOSS = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 0.0])
_BOTH_AND_NEITHER = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Means by node and directive, and where their errors come from; NaN where nothing was judged.

    Errors of different sources are independent: a node's own, its parent's, and its parent's parent's, each in
    standard deviations of the node's mean.
    """

    mean: Floats
    own: Floats
    of_parent: Floats
    of_root: Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the judged prompts of 1, score, `full`'s score, their squares and their product, parents pooled.

    Attributes:
        sums: by node, directive (`full` first) and sum. Lossless directives have none of their own.
        tree: the nodes.
    """

    sums: Floats
    tree: Tree

    @classmethod
    def of(cls, cells: list[tuple[int, int, Known]], shape: tuple[int, int], tree: Tree) -> Moments:
        """Of cells with their node and directive; a parent that has no cell holds what its bins hold together."""
        rows, columns, figures = [], [], []
        for node, directive, cell in cells:
            q = cell.quality
            if q is not None and q.n > 0 and (directive == 0 or not cell.lossless):
                rows.append(node)
                columns.append(directive)
                figures.append((q.n, q.mean, q.full_mean, q.variance, q.full_variance, q.covariance))
        sums = np.zeros((*shape, 6))
        if figures:
            n, mean, full, variance, full_variance, covariance = np.array(figures, dtype=float).T
            raw = (np.ones_like(n), mean, full, variance + mean**2, full_variance + full**2, covariance + mean * full)
            sums[rows, columns] = (n * np.stack(raw)).T
        sums[:, 0] = _of_full(sums)
        judged_here = sums[..., :1] > 0
        for children in tree.generations:
            sums += np.where(judged_here, 0.0, tree.folded(sums, children))
        return cls(sums, tree)

    @property
    def judged(self) -> Flags:
        """By node and directive: whether the node or a parent has judged prompts."""
        known = self.sums[..., 0] > 0
        for children in reversed(self.tree.generations):
            known[children] |= known[self.tree.parent[children]]
        return known

    def shrunk(self, floor: float) -> Shrunk:
        """Score minus `floor` times `full`'s per prompt.

        Empirical Bayes (Morris 1983, "Parametric empirical Bayes inference"): a node's mean is its own and its
        parent's, weighted by how precise its own is and how much nodes of that parent differ. That spread is the
        moment estimate of DerSimonian and Laird (1986), and a k-th of the mean squared error of k nodes above it, since
        nodes may look alike by luck. Of fewer than three nodes it cannot be told: there, single prompts count as a
        node more, as nodes cannot differ more than prompts do.

        A plan takes what looks best, and of many cells some look better than they are. Where nodes are alike, the
        weight of the parent takes that out: it is the same answer that Bayes gives, whom choosing does not bias.

        Every cell counts two prompts more than were judged, one won and one lost (for `full`: one that both solve
        and one that neither does), so that a few prompts that happen to agree are not taken for certainty (Agresti
        and Coull 1998 add as many to a proportion).
        """
        n, mean, variance = self._moments(floor)
        with np.errstate(invalid="ignore", divide="ignore"):
            error = variance / (n - 1)
        spread = self._spread(n, mean, variance, error)
        own, of_parent, of_root = np.sqrt(error), np.zeros_like(mean), np.zeros_like(mean)
        root = len(self.tree.bins) - 1
        for children in reversed(self.tree.generations):
            above = self.tree.parent[children]
            tau = spread[above]
            with np.errstate(invalid="ignore", divide="ignore"):
                trust = np.where(n[children] > 0, tau / (tau + error[children]), 0.0)
            rest = 1 - trust
            mine = np.where(n[children] > 0, trust * mean[children], 0.0)
            mean[children] = mine + rest * mean[above]
            noise = np.where(n[children] > 0, trust**2 * error[children], 0.0)
            own[children] = np.sqrt(noise + rest**2 * tau)
            to_root = np.broadcast_to(above[:, None] == root, rest.shape)
            of_parent[children] = np.where(to_root, 0.0, rest * own[above])
            of_root[children] = rest * np.where(to_root, own[above], of_root[above])
        return Shrunk(mean, own, of_parent, of_root)

    def _moments(self, floor: float) -> tuple[Floats, Floats, Floats]:
        added = np.tile(_WIN_AND_LOSS, (self.sums.shape[1], 1))
        added[0] = _BOTH_AND_NEITHER
        n, s, f, ss, ff, sf = np.moveaxis(np.where(self.sums[..., :1] > 0, self.sums + added, 0.0), -1, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (s - floor * f) / n
            variance = np.maximum((ss - 2 * floor * sf + floor**2 * ff) / n - mean**2, 0.0)
        return n, mean, variance

    def _spread(self, n: Floats, mean: Floats, variance: Floats, error: Floats) -> Floats:
        judged = n > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(judged & (error > 0), 1 / error, 0.0)
            mean = np.where(judged, mean, 0.0)
            squared = np.where(judged, np.nan_to_num(error), 0.0)
            figures = (judged * 1.0, precision, precision**2, precision * mean, precision * mean**2, squared)
            k, p, pp, pm, pmm, e = (self.tree.folded(figure, slice(0, len(mean) - 1)) for figure in figures)
            between = (pmm - pm**2 / p - (k - 1)) / (p - pp / p)
        between = np.where((k > 1) & np.isfinite(between), np.maximum(between, 0.0), 0.0)
        k = np.maximum(k, 1)
        few = (variance + (k - 1) * between) / k
        return np.asarray(np.where(k < _SEEN, few, between + e / k**2))


def _of_full(sums: Floats) -> Floats:
    """`full`'s own prompts, else those on which it was judged beside the directive that was judged most."""
    most = np.take_along_axis(sums, sums[..., 0].argmax(axis=1)[:, None, None], axis=1)[:, 0]
    beside = most[:, [0, 2, 2, 4, 4, 4]]
    return np.where(sums[:, 0, :1] > 0, sums[:, 0], beside)
