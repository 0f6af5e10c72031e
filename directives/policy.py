"""What a policy is: from one observation to one directive, with the probability of having chosen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Decision", "Group", "Observation", "Policy", "Uniform"]

Group = Literal["policy", "control"]


class Uniform(Protocol):
    """A source of randomness, injected: `random.Random` fits."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a policy may know of one request. Plain values only; None means unknown, never zero.

    Attributes:
        intensity_g_per_kwh: grid intensity now.
        task: the caller's tag for the kind of work.
        prompt_tokens: tokens in the prompt, summed over the rows of a batch.
        limit_tokens: the caller's own limit on new tokens per row.
        batch_size: rows in the call.
    """

    intensity_g_per_kwh: float | None = None
    task: str | None = None
    prompt_tokens: int | None = None
    limit_tokens: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A directive's name and how it came about.

    Attributes:
        directive: name of the chosen directive; one of the candidates.
        propensity: probability, in (0, 1], with which this policy draws this directive on this observation and
            these candidates. Off-line tuning divides by it, so it must be exact. A policy never leaves it None; the
            middleware does where the policy failed and it served `full` instead.
        reason: a few words for the row.
        group: `control` where the request was drawn to be served `full` whatever the intensity.
    """

    directive: str
    propensity: float | None
    reason: str
    group: Group = "policy"


class Policy(Protocol):
    """Chooses a directive for each request. Pure: no clock, no network, no state.

    A policy may also have a property `reach`, the names of all directives that it can ever choose: whether the others
    could be applied is then not asked at every request. One that changes while it runs has a property `current`, the
    policy that it is now: a request takes it once and is filtered, drawn and logged by that alone.
    """

    @property
    def name(self) -> str:
        """Short name, stored in every row."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the probabilities could; stored in every row."""
        ...

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """Draw one of the candidates.

        Args:
            observation: what is known of the request.
            candidates: names of the directives that can be applied to this call; never empty, always holds `full`.
            rng: where the draw comes from.
        """
        ...
