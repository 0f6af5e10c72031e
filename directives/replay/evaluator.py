"""The evaluator of a replay: it has its own half of the prompts, and pays for each of them once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from directives.replay.data import Floats, Indices, Prompts
from directives.replay.scheme import Judged

__all__ = ["Evaluator"]

_STRETCH = 500
"""Prompts between two looks at whether enough is known."""


class Evaluator:
    """Generates and judges answers to prompts of its own.

    Answers and verdicts are kept: a prompt met again is known, and costs nothing more.

    Attributes:
        prompts: its half.
        made: the evaluations so far.
    """

    def __init__(self, prompts: Prompts, mix: Floats, rng: np.random.Generator) -> None:
        self.prompts = prompts
        self.made: list[Judged] = []
        self._mix = mix
        self._known = np.zeros(len(prompts), dtype=bool)
        self._rows = prompts.rows_by_task()
        self._rng = rng

    @property
    def known(self) -> Indices:
        """Rows of the prompts that were judged."""
        return np.flatnonzero(self._known)

    def like_traffic(self, hour: int, n: int) -> Indices:
        """Rows of up to `n` different prompts, tasks as in the traffic of the hour; of a task with too few, all."""
        counts = self._rng.multinomial(n, self._mix[hour])
        picked = [
            self._rng.choice(rows, min(count, len(rows)), replace=False)
            for rows, count in zip(self._rows, counts, strict=True)
        ]
        return np.concatenate(picked)

    def likeness(self, hour: int) -> Floats:
        """Weight of each judged prompt, in the order of `known`, that makes them like the traffic of an hour."""
        task = self.prompts.task[self._known]
        each: Floats = self._mix[hour] / np.maximum(np.bincount(task, minlength=len(self.prompts.tasks)), 1)
        return each[task]

    def judge_until(self, hour: int, enough: Callable[[], bool]) -> Indices:
        """Judge prompts that are not known, in random order, until there are enough or no more; the rows of those."""
        unknown = self._rng.permutation(np.flatnonzero(~self._known))
        judged = 0
        while judged < len(unknown) and not enough():
            self._known[unknown[judged : judged + _STRETCH]] = True
            judged = min(judged + _STRETCH, len(unknown))
        self._log(hour, unknown[:judged], judged)
        return unknown[:judged]

    def judge(self, hour: int, rows: Indices) -> Indices:
        """Generate and judge what is not known of these prompts; the rows of those."""
        fresh = rows[~self._known[rows]]
        self._known[fresh] = True
        self._log(hour, fresh, len(rows))
        return fresh

    def _log(self, hour: int, fresh: Indices, asked: int) -> None:
        energy_j, time_s = (float(each[fresh].sum()) for each in (self.prompts.energy_j, self.prompts.time_s))
        self.made.append(Judged(hour=hour, prompts=asked, fresh=len(fresh), energy_j=energy_j, time_s=time_s))
