"""Directives a program need not look at, since another of the same bin is at least as good in all it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from directives.solving.problem import Problem, Totals
from directives.solving.tree import Flags, Floats

__all__ = ["undominated"]


def undominated(problem: Problem, totals: Sequence[Totals], figures: Sequence[Floats]) -> Flags:
    """By level, node and directive, those that can have a share in the best solution, with work and selectable.

    One stands in for another, whatever the rest of the shares, where each figure is no higher and each floor's gain is
    higher by at least z times its errors in excess: a norm grows by no more than the norm of what is added to it, and
    errors below those that were there take nothing away. Equal directives leave the first.

    Args:
        problem: the evidence.
        totals: of the floors that must hold.
        figures: what must be low, by level, node and directive: the objective and the limits.
    """
    here = np.flatnonzero(problem.weight > 0)
    better = np.ones((len(here), len(problem.directives), len(problem.directives)), dtype=bool)
    for total in totals:
        excess = [_difference(part[here]).clip(min=0.0) for part in (total.own, total.of_parent, total.of_root)]
        better &= _difference(total.gain[here]) >= problem.z * np.sqrt(sum(part**2 for part in excess))
    stands_in = np.stack([better] * len(problem.levels.share))
    for figure in figures:
        stands_in &= _difference(figure[:, here]) <= 0
    kept = np.zeros((len(problem.levels.share), *problem.selectable.shape), dtype=bool)
    left = np.stack([problem.selectable[here]] * len(kept))
    for directive in reversed(range(len(problem.directives))):
        others = stands_in[:, :, directive] & left
        others[:, :, directive] = False
        left[:, :, directive] &= ~others.any(axis=2)
    kept[:, here] = left
    return kept


def _difference(figure: Floats) -> Floats:
    """Of each directive (last) from each other (last but one)."""
    return np.asarray(figure[..., None, :] - figure[..., :, None])
