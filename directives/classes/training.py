"""From labelled texts to a classifier: multinomial logistic regression, its penalty and temperature by hold-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from directives.classes.features import SHAPES, features_of
from directives.classes.model import OTHER, Classes, HeldOut
from directives.errors import PolicyError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["FOLDS", "MIN_PER_CLASS", "MOST_CLASSES", "THRESHOLD", "train", "train_and_place"]

MIN_PER_CLASS: Final = 25
"""Fewest different texts per class: five in every fold, below which neither learning nor its proof means much."""

MOST_CLASSES: Final = 64
"""Most classes, beyond which too few columns would be left to each."""

FOLDS: Final = 5

THRESHOLD: Final = 0.5
"""Least probability of a class: more likely right than wrong, as probabilities are calibrated."""

# One byte each, so that a file stays under 200 kB in base64.
_MOST_WEIGHTS: Final = 1 << 17
_MOST_COLUMNS: Final = 1 << 12
_WIDEST: Final = 127

_PENALTIES: Final = (1e-2, 1e-3, 1e-4, 1e-5)

# Where a fit stops; closer takes longer, and tells held-out texts apart no better.
_GRADIENT: Final = 3e-4


def train(labelled: Iterable[tuple[str, str]], *, seed: int = 0, threshold: float = THRESHOLD) -> Classes:
    """Learn to tell labels apart.

    The strength of the L2 penalty is the one with the least loss on texts held out in five folds; the temperature
    (Guo et al. 2017, "On calibration of modern neural networks", section 4.2) is fitted on the same held-out scores.
    A text given twice with one label counts once, so that no text is both learnt from and held out.

    Args:
        labelled: pairs (text, label). `OTHER` labels what belongs to no class.
        seed: of the draw of folds; the same data, in the same order, and the same seed give the same classifier.
        threshold: least probability from which a class is inferred.

    Raises:
        PolicyError: fewer than two labels or too many, too few texts of one, or an empty label.
    """
    return train_and_place(labelled, seed=seed, threshold=threshold)[0]


def train_and_place(
    labelled: Iterable[tuple[str, str]], *, seed: int = 0, threshold: float = THRESHOLD
) -> tuple[Classes, list[str | None]]:
    """As `train`, with the class of each text by the fold's model that has not seen it, as `Classes.classify` says it.

    What the labelled texts are worth in a class can then be learnt from the very texts that taught to tell classes
    apart, mistakes included (cross-fitting: Chernozhukov et al. 2018, "Double/debiased machine learning", section 3).

    Args:
        labelled: as for `train`.
        seed: likewise.
        threshold: likewise.

    Returns:
        What `train` returns, and a class per pair given.

    Raises:
        PolicyError: as `train`.
    """
    given = list(labelled)
    pairs = list(dict.fromkeys(given))
    labels = _checked_labels(pairs)
    y = np.array([labels.index(label) for _, label in pairs])
    columns = min(_MOST_COLUMNS, _MOST_WEIGHTS // len(labels))
    x = _matrix([text for text, _ in pairs], columns)
    scores, penalty = _held_out_scores(x, y, len(labels), _folds(y, seed))
    temperature = _temperature(scores, y)
    table, bias = _fit(x, y, len(labels), penalty, None)
    scales = np.maximum(np.abs(table).max(axis=0), np.finfo(np.float32).tiny) / _WIDEST
    classes = Classes(
        labels=labels,
        weights=np.round(table / scales).astype(np.int8).tobytes(),
        scales=tuple((scales / temperature).tolist()),
        bias=tuple((bias / temperature).tolist()),
        threshold=threshold,
        held_out=_held_out(scores / temperature, y, threshold),
    )
    wordless = x[:, SHAPES:].count_nonzero(axis=1) == 0
    placed = dict(zip(pairs, _placed(scores / temperature, wordless, labels, threshold), strict=True))
    return classes, [placed[pair] for pair in given]


def _checked_labels(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    counts = Counter(label for _, label in pairs)
    if "" in counts:
        raise PolicyError("classes: a label is empty; leave texts without a label out, or label them 'other'")
    if not 2 <= len(counts) <= MOST_CLASSES:
        raise PolicyError(
            f"classes: it takes 2 to {MOST_CLASSES} different labels, and {len(pairs)} texts have {len(counts)}; "
            "give texts of several kinds of work, each with its label"
        )
    few = {label: n for label, n in sorted(counts.items()) if n < MIN_PER_CLASS}
    if few:
        named = ", ".join(f"{label!r} has {n}" for label, n in few.items())
        raise PolicyError(
            f"classes: too few different texts to learn from ({named}); give at least {MIN_PER_CLASS} for each label, "
            "or leave that label out"
        )
    return tuple(sorted(counts))


def _matrix(texts: Sequence[str], columns: int) -> csr_array:
    """A row per text, with the values that `Classes` gives them."""
    from scipy.sparse import csr_array

    ends, places, values = [0], list[int](), list[float]()
    for text in texts:
        shapes, words = features_of(text, columns)
        places += shapes + words
        values += [1.0] * len(shapes) + [max(len(words), 1) ** -0.5] * len(words)
        ends.append(len(places))
    return csr_array((values, places, ends), shape=(len(texts), columns))


def _folds(y: NDArray[np.int_], seed: int) -> NDArray[np.int_]:
    """The fold of each text; each fold has its share of every class."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(y), int)
    for label in range(y.max() + 1):
        members = rng.permutation(np.flatnonzero(y == label))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold


def _held_out_scores(
    x: csr_array, y: NDArray[np.int_], n_labels: int, folds: NDArray[np.int_]
) -> tuple[NDArray[np.float64], float]:
    """Scores of each text by a model that has not seen it, and the penalty under which they are best."""
    scores = {penalty: np.empty((len(y), n_labels)) for penalty in _PENALTIES}
    for fold in range(FOLDS):
        out = folds == fold
        fitted = None
        for penalty in _PENALTIES:  # each fit starts where the last, of a stronger penalty, ended
            fitted = _fit(x[~out], y[~out], n_labels, penalty, fitted)
            table, bias = fitted
            scores[penalty][out] = x[out] @ table + bias
    best = min(_PENALTIES, key=lambda penalty: _loss(scores[penalty], y))
    return scores[best], best


def _fit(
    x: csr_array,
    y: NDArray[np.int_],
    n_labels: int,
    penalty: float,
    start: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias of least mean loss plus penalty/2 times the sum of squared weights, by L-BFGS."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    n, columns = x.shape
    size = columns * n_labels
    wanted = np.eye(n_labels)[y]
    transposed = x.T.tocsr()

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table, bias = at[:size].reshape(columns, n_labels), at[size:]
        logs = log_softmax(x @ table + bias, axis=1)
        error = (np.exp(logs) - wanted) / n
        value = -(logs * wanted).sum() / n + penalty / 2 * (table * table).sum()
        return float(value), np.concatenate([(transposed @ error + penalty * table).ravel(), error.sum(axis=0)])

    first = np.zeros(size + n_labels) if start is None else np.concatenate([start[0].ravel(), start[1]])
    found: Any = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": _GRADIENT})
    return found.x[:size].reshape(columns, n_labels), found.x[size:]


def _loss(scores: NDArray[np.float64], y: NDArray[np.int_]) -> float:
    from scipy.special import log_softmax

    return float(-log_softmax(scores, axis=1)[np.arange(len(y)), y].mean())


def _temperature(scores: NDArray[np.float64], y: NDArray[np.int_]) -> float:
    """By which the scores are divided so that their softmax is as often right as it says.

    n texts of a class that are all right still do not make the next one certain: their targets are (n + 1)/(n + 2)
    (Platt 1999, "Probabilistic outputs for support vector machines", section 2.2), and the rest is the other classes'.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    n_labels = scores.shape[1]
    rest = 1 / (np.bincount(y, minlength=n_labels) + 2)
    targets = np.repeat((rest / (n_labels - 1))[y, None], n_labels, axis=1)
    targets[np.arange(len(y)), y] = 1 - rest[y]

    def loss(log_temperature: float) -> float:
        return float(-(targets * log_softmax(scores * np.exp(-log_temperature), axis=1)).sum())

    found: Any = minimize_scalar(loss, bounds=(-5, 5), method="bounded")
    return float(np.exp(found.x))


def _held_out(scores: NDArray[np.float64], y: NDArray[np.int_], threshold: float) -> HeldOut:
    from scipy.special import softmax

    n_labels = scores.shape[1]
    likely = softmax(scores, axis=1)
    guessed, sure = likely.argmax(axis=1), likely.max(axis=1) >= threshold
    confusion = np.zeros((n_labels, n_labels), int)
    np.add.at(confusion, (y, guessed), 1)
    return HeldOut(
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        sure=int(sure.sum()),
        sure_right=int((sure & (guessed == y)).sum()),
        log_loss=_loss(scores, y),
    )


def _placed(
    scores: NDArray[np.float64], wordless: NDArray[np.bool_], labels: Sequence[str], threshold: float
) -> list[str | None]:
    from scipy.special import softmax

    likely = softmax(scores, axis=1)
    none = wordless | (likely.max(axis=1) < threshold)
    names = [None if label == OTHER else label for label in labels]
    return [None if unsure else names[place] for place, unsure in zip(likely.argmax(axis=1), none, strict=True)]
