"""How fast a worker answers, what it draws meanwhile, and how much work a job still is by that measure: pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sprout_like.jobs.job import Standing

__all__ = ["Pace", "work_tokens"]

_HALF_LIFE_S = 120.0
"""After so much time at work, earlier batches weigh half: long enough to smooth batches, short enough to follow a
machine that others slow down."""

_TRUSTED_S = 5.0
"""Weight of a pace that another process measured."""

_KNOWN_ITEMS = 8
"""Answers from which on their length says more of the rest than the limits do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Of one worker and model.

    Attributes:
        tokens: new tokens. time_s: at work. energy_j: drawn in `metered_s` of that time. All weighted by age.
        load_s, load_j: of the last loading of the model; None until it was loaded, or where the energy is unknown.
    """

    tokens: float = 0.0
    time_s: float = 0.0
    energy_j: float = 0.0
    metered_s: float = 0.0
    load_s: float | None = None
    load_j: float | None = None

    @property
    def tokens_per_s(self) -> float | None:
        """None until a batch with new tokens was run."""
        return self.tokens / self.time_s if self.tokens > 0 and self.time_s > 0 else None

    @property
    def power_w(self) -> float | None:
        """Mean draw at work; None until it was metered."""
        return self.energy_j / self.metered_s if self.metered_s > 0 else None

    @classmethod
    def known(
        cls, tokens_per_s: float, power_w: float | None, *, load_s: float | None = None, load_j: float | None = None
    ) -> Pace:
        """As some time at this pace would have left it; what follows soon outweighs it."""
        return cls(
            tokens=tokens_per_s * _TRUSTED_S,
            time_s=_TRUSTED_S,
            energy_j=0.0 if power_w is None else power_w * _TRUSTED_S,
            metered_s=0.0 if power_w is None else _TRUSTED_S,
            load_s=load_s,
            load_j=load_j,
        )

    def after_load(self, *, time_s: float, energy_j: float | None) -> Pace:
        """With the last loading of the model; where its energy is unknown, by the draw at work."""
        guess_j = None if self.power_w is None else self.power_w * time_s
        return replace(self, load_s=time_s, load_j=guess_j if energy_j is None else energy_j)

    def after_batch(self, *, tokens: int, time_s: float, energy_j: float | None) -> Pace:
        """With one more batch.

        Args:
            tokens: new tokens of its answers.
            time_s: from its start to its end.
            energy_j: what it took; None where unknown.
        """
        kept = math.exp2(-time_s / _HALF_LIFE_S)
        metered = energy_j is not None
        return replace(
            self,
            tokens=kept * self.tokens + tokens,
            time_s=kept * self.time_s + time_s,
            energy_j=kept * self.energy_j + (energy_j or 0.0) if metered else self.energy_j,
            metered_s=kept * self.metered_s + time_s if metered else self.metered_s,
        )


def work_tokens(standing: Standing) -> float:
    """New tokens that the rest of a job will take: its limits, times how much of theirs the answers used so far.

    Before a few answers are known, the limits themselves, which no answer exceeds.
    """
    if standing.done_n < _KNOWN_ITEMS or not standing.done_limit_tokens:
        return float(standing.left_tokens)
    # A standard deviation above the mean of so many answers, were each as likely to stop anywhere.
    used = standing.done_tokens / standing.done_limit_tokens
    return standing.left_tokens * min(1.0, used * (1 + 1 / math.sqrt(standing.done_n)))
