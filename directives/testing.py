"""Fakes for tests, ours and yours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from directives.catalogue import Catalogue
from directives.directive import Directive
from directives.knobs import Budget
from directives.policy import Decision, Observation, Uniform

__all__ = ["FailingPolicy", "ScriptedRandom", "small_catalogue"]


class ScriptedRandom:
    """Returns the given draws in order, then starts again."""

    def __init__(self, draws: Iterable[float]) -> None:
        self._draws = tuple(draws)
        self._next = 0

    def random(self) -> float:
        """The next draw."""
        value = self._draws[self._next % len(self._draws)]
        self._next += 1
        return value


class FailingPolicy:
    """Raises on every choice."""

    name = "failing"
    version = "failing:1"

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error or RuntimeError("scripted policy failure")

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:  # noqa: ARG002
        """Raise."""
        raise self._error


def small_catalogue() -> Catalogue:
    """`full`, one directive with an instruction alone, one with a budget alone."""
    return Catalogue.of(
        Directive(name="told", instruction="Be short."),
        Directive(name="capped", budget=Budget(max_new_tokens=8, soft_tokens=4)),
    )
