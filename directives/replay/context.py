"""What a policy can tell of a request before it is answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from directives.policy import Observation
from directives.replay.data import Floats, Indices, Prompts
from directives.workload import Bin, bin_of

__all__ = ["Context", "Seen"]

Context: TypeAlias = Literal["task", "text", "none"]

_MARKS = 10
"""Groups of prompt lengths, equally large among the evaluator's prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Bins of the prompts, and how long they are.

    Attributes:
        bins: the workload bins.
        traffic, evaluated: index of each prompt's bin, in the traffic half and in the evaluator's.
        length: group of each prompt's length in the traffic half, in which a change of the work shows.
        blind: whether the bin says nothing of the work, so that a bin's costs and quality change with it.
    """

    bins: tuple[Bin, ...]
    traffic: Indices
    evaluated: Indices
    length: Indices
    blind: bool

    @classmethod
    def of(cls, context: Context, evaluated: Prompts, traffic: Prompts, seed: int) -> Seen:
        """By the callers' tags (`task`), by what the text looks like (`text`), or not at all (`none`).

        Texts are classified by a model that learnt from the evaluator's half. The evaluator's own prompts are
        classified by models that did not learn from them: quality must be known by the class that a prompt would be
        given, mistakes included.

        Raises:
            PolicyError: too few prompts of a task to learn from.
        """
        match context:
            case "task":
                names: Sequence[str | None] = traffic.tasks
                indices = (traffic.task, evaluated.task)
            case "text":
                names = (*traffic.tasks, None)
                indices = _classified(evaluated, traffic, seed)
            case "none":
                names = (None,)
                indices = (np.zeros(len(traffic), dtype=np.int64), np.zeros(len(evaluated), dtype=np.int64))
        edges = np.quantile(_lengths(evaluated), np.arange(1, _MARKS) / _MARKS)
        return cls(
            bins=tuple(bin_of(Observation(task=name, batch_size=1)) for name in names),
            traffic=indices[0],
            evaluated=indices[1],
            length=np.searchsorted(edges, _lengths(traffic)),
            blind=context == "none",
        )

    def lengths_of(self, prompt: Indices) -> Floats:
        """How many of some requests of the traffic are in each group of lengths."""
        return np.bincount(self.length[prompt], minlength=_MARKS).astype(float)


def _classified(evaluated: Prompts, traffic: Prompts, seed: int) -> tuple[Indices, Indices]:
    from directives.classes import train_and_place

    place = {name: index for index, name in enumerate(evaluated.tasks)}
    labels = (evaluated.tasks[task] for task in evaluated.task)
    classes, own = train_and_place(zip(evaluated.text, labels, strict=True), seed=seed)

    def indices(names: Iterable[str | None]) -> Indices:
        return np.array([len(place) if name is None else place[name] for name in names], dtype=np.int64)

    return indices(classes.classify_many(traffic.text)), indices(own)


def _lengths(prompts: Prompts) -> Indices:
    return np.array([len(text) for text in prompts.text])
