"""Energy or time per bin and directive, from the bin itself or by its parent's ratio to `full`."""

from __future__ import annotations

import numpy as np

from directives.solving.tree import Floats, Tree

__all__ = ["filled"]


def filled(own: Floats, tree: Tree) -> Floats:
    """What is known of each node, with what its parents know in the gaps.

    A directive that was not measured in a bin costs what `full` costs there times its ratio to `full` in the parent,
    since lengths differ between bins far more than ratios do. A parent that was not measured itself has the ratio of
    the sums over those of its bins that have both. Where `full` was not measured in a bin, its parent's figure stands
    in, and only ratios are used, as the bin's own figures have nothing to be compared with.

    Args:
        own: measured means by node of the tree and directive, `full` first; NaN where unknown.
        tree: the nodes.

    Returns:
        Means likewise; NaN where neither the node nor a parent knows.
    """
    full = own[:, :1]
    both = np.isfinite(own) & np.isfinite(full)
    ratio = np.where(both, own / full, np.nan)
    base = full.copy()
    numerator = np.where(both, own, 0.0)
    denominator = np.where(both, np.broadcast_to(full, own.shape), 0.0)
    known = np.isfinite(full).astype(float)
    total = np.where(known > 0, full, 0.0)
    for children in tree.generations:
        for sums in (numerator, denominator, total, known):
            sums += np.where(both if sums.shape == own.shape else both[:, :1], 0.0, tree.folded(sums, children))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(both, ratio, np.where(denominator > 0, numerator / denominator, np.nan))
        base = np.where(np.isfinite(base), base, np.where(known > 0, total / known, np.nan))
    for children in reversed(tree.generations):
        above = tree.parent[children]
        ratio[children] = np.where(np.isfinite(ratio[children]), ratio[children], ratio[above])
        base[children] = np.where(np.isfinite(base[children]), base[children], base[above])
    return np.asarray(ratio * base)
