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
    tasks = np.array([node.task for node in tree.bins])
    with_work = weight > 0
    served = set(tasks[with_work].tolist())
    whole = {task for node in tree.bins if (task := node.task) in served and node == Bin(task=task)}
    own = dict(zip(np.flatnonzero(with_work).tolist(), _shares(problem, shares[with_work]), strict=True))
    means = {task: (weight * (tasks == task)) @ shares for task in whole}
    of_task = dict(zip(means, _shares(problem, np.stack([*means.values()])), strict=True)) if means else {}
    safest = np.where(problem.selectable & problem.lossless, cost, np.inf).argmin(axis=1)
    table: dict[Bin, Shares] = {}
    for row, node in enumerate(tree.bins):
        if row in own:
            table[node] = own[row]
        elif node.task and node.task in served:
            if node == Bin(task=node.task):
                table[node] = of_task[node.task]
        else:
            table[node] = {problem.directives[safest[row]]: 1.0}
    return table


def _shares(problem: Problem, rows: Floats) -> list[Shares]:
    kept = np.where(rows > _LEAST * rows.sum(axis=1, keepdims=True), rows, 0.0)
    kept /= kept.sum(axis=1, keepdims=True)
    return [{name: x for name, x in zip(problem.directives, row, strict=True) if x} for row in kept.tolist()]


def _plain(part: object) -> object:
    if isinstance(part, Mapping):
        return sorted((str(key), value if type(value) is float else _plain(value)) for key, value in part.items())
    if isinstance(part, tuple | list):
        return [_plain(item) for item in part]
    return part
