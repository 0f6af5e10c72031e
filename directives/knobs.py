"""The knobs as data: what each part of a directive may say. How it is applied lives in `sprout_like.knobs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from directives.errors import CatalogueError

__all__ = [
    "Budget",
    "Confidence",
    "Depth",
    "Draft",
    "EarlyExit",
    "KvCache",
    "Lookup",
    "Repetition",
    "Reuse",
    "layer_count",
]

# TOML gives values of any type, so what the annotations promise is checked where a value is first seen.


def _whole(key: str, value: Any, least: int, unit: str) -> None:
    if type(value) is not int or value < least:
        raise CatalogueError(f"{key} is {value!r}; give a whole number of {unit}, {least} or more")


def _layers(key: str, value: Any) -> None:
    """A number of layers: a whole number, or a share of the model's below 1."""
    whole = type(value) is int and value >= 1
    share = type(value) is float and 0 < value < 1
    if not (whole or share):
        raise CatalogueError(f"{key} is {value!r}; give a whole number of layers, or a share of them between 0 and 1")


def _one_of(key: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise CatalogueError(f"{key} is {value!r}; give one of {', '.join(known)}")


def layer_count(value: float, of_layers: int) -> int:
    """A number of layers as given in a directive, for a model of that depth.

    Args:
        value: a whole number, or a share in (0, 1), which is rounded and never 0 nor all.
        of_layers: how many layers the model has.
    """
    return value if isinstance(value, int) else min(max(round(value * of_layers), 1), max(of_layers - 1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on new tokens with a soft ending.

    Attributes:
        max_new_tokens: hard limit per row; the caller's own limit wins where it is lower.
        soft_tokens: how many tokens before the limit the preference for ending (at a sentence end) begins to grow.
    """

    max_new_tokens: int
    soft_tokens: int = 0

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "soft_tokens"):
            if type(getattr(self, name)) is not int:
                raise CatalogueError(f"budget.{name} is {getattr(self, name)!r}; give a whole number of tokens")
        if self.max_new_tokens < 1:
            raise CatalogueError(f"budget.max_new_tokens is {self.max_new_tokens}; give 1 or more")
        if not 0 <= self.soft_tokens < self.max_new_tokens:
            raise CatalogueError(
                f"budget.soft_tokens is {self.soft_tokens}; give 0 to {self.max_new_tokens - 1} (below max_new_tokens)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Run only some of the layers. Exactly one of the two is given.

    Attributes:
        first: run the first so many layers; a share of all where it is between 0 and 1.
        drop: leave out the layers from the first index up to, not with, the second.
    """

    first: int | float | None = None
    drop: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if (self.first is None) == (self.drop is None):
            raise CatalogueError("early_exit.depth: give one of first and drop")
        if self.first is not None:
            _layers("early_exit.depth.first", self.first)
        if self.drop is not None:
            span = tuple(self.drop) if isinstance(self.drop, (list, tuple)) else ()
            if len(span) != 2 or any(type(i) is not int for i in span) or not 0 < span[0] < span[1]:
                raise CatalogueError(
                    f"early_exit.depth.drop is {self.drop!r}; give [from, to] as layer indices, from 1 on, rising"
                )
            object.__setattr__(self, "drop", span)  # TOML gives a list, which cannot be hashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Per token: leave at a layer when its own prediction is sure enough.

    Attributes:
        layer: run so many layers before asking; a share of all where it is between 0 and 1.
        threshold: least probability of the likeliest token to leave; above 1 never leaves.
        max_defer: most tokens in a row that may leave before the deeper layers catch up on them.
    """

    layer: int | float
    threshold: float
    max_defer: int = 8

    def __post_init__(self) -> None:
        _layers("early_exit.confidence.layer", self.layer)
        if type(self.threshold) not in (int, float) or not self.threshold >= 0:
            raise CatalogueError(f"early_exit.confidence.threshold is {self.threshold!r}; give a number, 0 or more")
        _whole("early_exit.confidence.max_defer", self.max_defer, 1, "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """End an answer that loops: whose end is one passage over and over.

    Attributes:
        times: how often in a row the passage must have come.
        longest: longest passage looked for, in tokens.
        least: least length of all its repeats together, in tokens, so that `ha ha ha` is no loop.
    """

    times: int = 4
    longest: int = 64
    least: int = 24

    def __post_init__(self) -> None:
        _whole("early_exit.repetition.times", self.times, 2, "times")
        _whole("early_exit.repetition.longest", self.longest, 1, "tokens")
        _whole("early_exit.repetition.least", self.least, 2, "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyExit:
    """Compute less of an answer. At least one form; `depth` and `confidence` exclude each other.

    Attributes:
        depth: every token runs through fewer layers. confidence: sure tokens do. repetition: loops end.
    """

    depth: Depth | None = None
    confidence: Confidence | None = None
    repetition: Repetition | None = None

    def __post_init__(self) -> None:
        if self.depth is None and self.confidence is None and self.repetition is None:
            raise CatalogueError("early_exit: give at least one of depth, confidence and repetition")
        if self.depth is not None and self.confidence is not None:
            raise CatalogueError("early_exit: depth and confidence both choose the layers; give one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Guess that the answer goes on as the prompt did.

    Attributes:
        ngram: longest run of tokens by which the place in the prompt is found.
    """

    ngram: int = 2

    def __post_init__(self) -> None:
        _whole("draft.lookup.ngram", self.ngram, 1, "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Guess several tokens cheaply and check them at once (speculative decoding). Exactly one of the three guessers.

    Attributes:
        tokens: how many tokens are guessed at a time.
        lookup: guesses come from the prompt. assistant: name of the variant that guesses.
        depth: the model's own first layers guess; so many, or a share of all where it is between 0 and 1.
    """

    tokens: int = 5
    lookup: Lookup | None = None
    assistant: str | None = None
    depth: int | float | None = None

    def __post_init__(self) -> None:
        _whole("draft.tokens", self.tokens, 1, "tokens")
        if sum(each is not None for each in (self.lookup, self.assistant, self.depth)) != 1:
            raise CatalogueError("draft: give one of lookup, assistant and depth")
        if self.depth is not None:
            _layers("draft.depth", self.depth)
        if self.assistant is not None and not isinstance(self.assistant, str):
            raise CatalogueError(f"draft.assistant is {self.assistant!r}; give the name of a variant")


@dataclass(frozen=True, slots=True, kw_only=True)
class KvCache:
    """How keys and values of past tokens are kept.

    Attributes:
        kind: `static` (allocated once) or `quantized`.
        backend: who quantizes: `quanto`, `hqq` or `fp8`; None takes the first that is installed.
        bits: bits per value of a quantized cache; None takes the backend's default.
    """

    kind: Literal["static", "quantized"]
    backend: Literal["quanto", "hqq", "fp8"] | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        _one_of("kv_cache.kind", self.kind, ("static", "quantized"))
        if self.kind == "static" and (self.backend is not None or self.bits is not None):
            raise CatalogueError("kv_cache: backend and bits belong to kind = 'quantized'")
        if self.backend is not None:
            _one_of("kv_cache.backend", self.backend, ("quanto", "hqq", "fp8"))
        if self.bits is not None:
            _whole("kv_cache.bits", self.bits, 1, "bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Do not compute twice. At least one of the two.

    Attributes:
        answers: answer a call that was answered before, word for word, from the answer cache.
        prefix: compute the beginning that prompts share, such as a system prompt, once.
    """

    answers: bool = False
    prefix: bool = False

    def __post_init__(self) -> None:
        for name in ("answers", "prefix"):
            if type(getattr(self, name)) is not bool:
                raise CatalogueError(f"reuse.{name} is {getattr(self, name)!r}; give true or false")
        if not (self.answers or self.prefix):
            raise CatalogueError("reuse: give answers = true or prefix = true, or leave it out")
