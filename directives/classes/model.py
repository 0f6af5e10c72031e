"""Tells from a text what kind of work it is: a linear model over hashed words, small enough to ask at every request."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from directives.classes.features import SHAPES, features_of
from directives.errors import PolicyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OTHER", "Classes", "HeldOut"]

OTHER: Final = "other"
"""Label of texts that belong to none of the other classes: they are recognised, and no task is inferred."""


# Beyond what any training comes to, and far below what a column's sum would lose in a float of 32 bits.
_LARGEST: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How well classes were told apart on texts that were not learnt from: each was held out once.

    Attributes:
        confusion: texts by their label (row) and by the likeliest class (column), both in the order of the labels.
        sure: texts for which the likeliest class was likely enough. sure_right: those of them where it was right.
        log_loss: mean of -ln(probability given to the label), in nats.
    """

    confusion: tuple[tuple[int, ...], ...]
    sure: int
    sure_right: int
    log_loss: float

    @property
    def n(self) -> int:
        """Texts."""
        return sum(map(sum, self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of all texts whose likeliest class was right, sure or not."""
        return sum(row[place] for place, row in enumerate(self.confusion)) / self.n

    @property
    def coverage(self) -> float:
        """Share of all texts for which a class was sure."""
        return self.sure / self.n

    @property
    def sure_accuracy(self) -> float | None:
        """Share of these for which it was right; None where none was sure."""
        return self.sure_right / self.sure if self.sure else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Multinomial logistic regression; made by `train`, kept by `to_json`.

    The score of a class is its bias, plus its weights in the columns of the text's shape, plus its weights in the
    columns of the text's words over the root of their number. The softmax of the scores is calibrated: its temperature
    is in scales and bias.

    Attributes:
        labels: names of the classes.
        weights: whole numbers of one signed byte; a row per column of `features_of`, a place per label.
        scales: what a weight of 1 stands for, per label. bias: per label.
        threshold: least probability from which a class is inferred.
        held_out: how well that went.

    Raises:
        PolicyError: the parts do not fit each other.
    """

    labels: tuple[str, ...]
    weights: bytes = field(repr=False)
    scales: tuple[float, ...] = field(repr=False)
    bias: tuple[float, ...] = field(repr=False)
    threshold: float
    held_out: HeldOut = field(repr=False)
    _table: NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = len(self.labels)
        if n < 2 or len(set(self.labels)) != n or len(self.scales) != n or len(self.bias) != n:
            raise PolicyError(
                "classes: labels, scales and bias must be as many, at least two, the labels all different"
            )
        if not all(map(math.isfinite, (*self.scales, *self.bias))) or not 0 <= self.threshold <= 1:
            raise PolicyError("classes: scales and bias must be finite, and the threshold in [0, 1]")
        if len(self.weights) % n or len(self.weights) // n <= SHAPES:
            raise PolicyError(f"classes: {len(self.weights)} weights are no whole table for {n} labels")
        if max(map(abs, (*self.scales, *self.bias))) > _LARGEST:
            raise PolicyError(f"classes: scales and bias must be no larger than {_LARGEST:g}")
        whole = np.frombuffer(self.weights, np.int8).reshape(-1, n)
        object.__setattr__(self, "_table", whole.astype(np.float32) * np.array(self.scales, np.float32))

    @property
    def columns(self) -> int:
        """Columns of the features that it was trained on."""
        return len(self.weights) // len(self.labels)

    def classify(self, text: str) -> str | None:
        """The class of a text; None where none is likely enough, it is `OTHER`, or the text has no word at all."""
        likelihoods = self._likelihoods(text)
        if likelihoods is None:
            return None
        highest = max(likelihoods)
        label = self.labels[likelihoods.index(highest)]
        return label if highest >= self.threshold and label != OTHER else None

    def classify_many(self, texts: Iterable[str]) -> list[str | None]:
        """The same of several."""
        return [self.classify(text) for text in texts]

    def probabilities(self, text: str) -> dict[str, float]:
        """Probability by class, summing to 1; all alike for a text without any word."""
        likelihoods = self._likelihoods(text) or [1 / len(self.labels)] * len(self.labels)
        return dict(zip(self.labels, likelihoods, strict=True))

    def _likelihoods(self, text: str) -> list[float] | None:
        shapes, words = features_of(text, self.columns)
        if not words:
            return None
        table = self._table
        sums = table[shapes].sum(axis=0) + table[words].sum(axis=0) / math.sqrt(len(words))
        scores = [score + bias for score, bias in zip(sums.tolist(), self.bias, strict=True)]
        highest = max(scores)
        powers = [math.exp(score - highest) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]
