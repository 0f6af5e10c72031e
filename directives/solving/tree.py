"""Bins and what they inherit from: bin, its task, all work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from directives.plan import kin
from directives.workload import Bin

__all__ = ["Flags", "Floats", "Tree"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All bins, parents after their children; the last is `Bin()`.

    Attributes:
        bins: the bins. index: where each stands.
        parent: where each bin's parent stands; the root's is itself.
        generations: bins below a task, then tasks: each may be folded into its parents once those before it were.
    """

    bins: tuple[Bin, ...]
    index: dict[Bin, int]
    parent: npt.NDArray[np.intp]
    generations: tuple[slice, slice]

    @classmethod
    def of(cls, bins: Iterable[Bin]) -> Tree:
        """Of these bins and their parents."""
        lines = [kin(node) for node in dict.fromkeys((*bins, Bin()))]
        lines += [line[1:] for line in lines if len(line) == 3]
        line_of = {line[0]: line for line in lines}
        leaves = [node for node in line_of if node != Bin(task=node.task)]
        tasks = [node for node, line in line_of.items() if len(line) == 2 and node == Bin(task=node.task)]
        ordered = (*leaves, *tasks, Bin())
        index = {node: i for i, node in enumerate(ordered)}
        parent = np.array([index[line_of[node][1] if node != Bin() else node] for node in ordered], dtype=np.intp)
        generations = slice(0, len(leaves)), slice(len(leaves), len(leaves) + len(tasks))
        return cls(bins=ordered, index=index, parent=parent, generations=generations)

    def folded(self, figures: npt.NDArray[Any], children: slice) -> npt.NDArray[Any]:
        """Sums of the children's figures per parent; nodes along the first axis."""
        sums = np.zeros_like(figures)
        np.add.at(sums, self.parent[children], figures[children])
        return sums
