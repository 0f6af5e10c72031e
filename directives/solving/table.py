"""The plan's table, of the program's shares: what each bin serves, and what work without a bin of its own does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from directives.plan import Shares
from directives.solving.problem import Problem
from directives.solving.tree import Floats
from directives.workload import Bin

__all__ = ["explored_of", "fingerprint", "shares_of"]

_LEAST = 1e-6
"""Shares below this are rounding errors of the program."""


def shares_of(problem: Problem, shares: Floats, cost: Floats) -> tuple[Mapping[Bin, Shares], ...]:
    """Per level, the shares by bin.

    A bin with requests has its own. A task with requests has their mean for its other bins. Of what there were no
    requests, the cheapest lossless directive is served.
    """
    return tuple(_level(problem, shares[level], cost[level]) for level in range(len(shares)))


def explored_of(problem: Problem, level: Mapping[Bin, Shares]) -> dict[Bin, tuple[str, ...]]:
    """What is tried out, by bin of the table."""
    rows = ((node, problem.explored[problem.tree.index[node]]) for node in level)
    names = np.array(problem.directives)
    return {node: tuple(names[row].tolist()) for node, row in rows if row.any()}


def fingerprint(*content: object) -> str:
    """12 hex digits that differ where the content does."""
    text = json.dumps([_plain(part) for part in content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _level(problem: Problem, shares: Floats, cost: Floats) -> dict[Bin, Shares]:
    tree, weight = problem.tree, problem.weight
    tasks = [node.task for node in tree.bins]
    served = {task for task, some in zip(tasks, weight > 0, strict=True) if some}
    safe = np.where(problem.selectable & problem.lossless, cost, np.inf)
    table: dict[Bin, Shares] = {}
    for row, node in enumerate(tree.bins):
        if weight[row] > 0:
            table[node] = _shares(problem, shares[row])
        elif node.task and node.task in served:
            if node == Bin(task=node.task):
                mine = weight * [task == node.task for task in tasks]
                table[node] = _shares(problem, mine @ shares)
        else:
            table[node] = {problem.directives[int(safe[row].argmin())]: 1.0}
    return table


def _shares(problem: Problem, row: Floats) -> Shares:
    kept = np.flatnonzero(row > _LEAST * row.sum())
    total = row[kept].sum()
    return {problem.directives[i]: float(row[i] / total) for i in kept}


def _plain(part: object) -> object:
    if isinstance(part, Mapping):
        return sorted([str(key), _plain(value)] for key, value in part.items())
    if isinstance(part, tuple | list):
        return [_plain(item) for item in part]
    return part
