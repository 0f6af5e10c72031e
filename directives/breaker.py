"""When what is served live has proved to be worse than the floor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from directives.errors import PolicyError
from directives.evidence import Quality

__all__ = ["Breaker"]

_TUNED_FOR = 100
"""Verdicts at which the interval is tightest for its confidence; it holds at any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Trips when live verdicts show quality under the floor.

    Worth is score - floor × `full`'s score, in [-floor, 1]; its mean is below 0 exactly where quality is below the
    floor. Its interval is a confidence sequence, which holds at all numbers of verdicts at once: however often one
    looks, a policy that keeps the floor is stopped with a probability of at most 1 - confidence, over its whole life.
    It is the two-sided normal mixture bound for sums of bounded terms (Howard, Ramdas, McAuliffe and Sekhon 2021,
    "Time-uniform, nonparametric, nonasymptotic confidence sequences"), which supposes nothing of the scores but that
    they are in [0, 1].

    It trips in two cases. The whole interval lies below 0: the floor is broken. Or the interval has become so narrow
    that `full` itself would be clearly above, its half-width at most half of (1 - floor) × `full`'s score, and still
    its lower end is below 0: enough was judged to show that the floor is kept, and it did not. The first takes some
    25 verdicts where answers are useless and 200 where a third is lost; the second tens of thousands.

    Attributes:
        floor: share of `full`'s quality, in [0, 1].
        confidence: probability of never tripping by chance, in [0.5, 1).

    Raises:
        PolicyError: either is outside its range.
    """

    floor: float
    confidence: float = 0.99

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise PolicyError(f"floor is {self.floor}; give a share in [0, 1]")
        if not 0.5 <= self.confidence < 1:
            raise PolicyError(f"confidence is {self.confidence}; give a probability in [0.5, 1)")

    def tripped(self, live: Quality) -> bool:
        """Whether verdicts on what was served, since the policy became active, call for `full`."""
        low, high = self.interval(live)
        enough = self.half_width(live.n) <= (1 - self.floor) * live.full_mean / 2
        return high < 0 or (enough and low < 0)

    def holds(self, evaluated: Quality) -> bool:
        """Whether an evaluation made after it tripped says otherwise.

        It does where its mean is not below the floor, if it is so large that useless answers would have tripped.
        """
        enough = self.half_width(evaluated.n) < self.floor * evaluated.full_mean
        return enough and evaluated.worth(self.floor).mean >= 0 and not self.tripped(evaluated)

    def interval(self, live: Quality) -> tuple[float, float]:
        """Lower and upper end of the confidence sequence of mean worth."""
        worth, half = live.worth(self.floor).mean, self.half_width(live.n)
        return worth - half, worth + half

    def half_width(self, n: int) -> float:
        """Half-width of the interval of mean worth after n verdicts, n > 0.

        With σ = (1 + floor)/2, as terms in an interval are sub-Gaussian with half its width (Hoeffding), α = 1 -
        confidence and ρ: σ sqrt((n + ρ)/n² × ln((n + ρ)/(ρ α²))). The ρ that makes it tightest at m is about
        m / (2 ln(1/α) + ln(1 + 2 ln(1/α))), as its authors show.
        """
        alpha = 1 - self.confidence
        twice = 2 * math.log(1 / alpha)
        rho = _TUNED_FOR / (twice + math.log1p(twice))
        variance = ((1 + self.floor) / 2) ** 2
        return math.sqrt(variance * (n + rho) / n**2 * math.log((n + rho) / (rho * alpha**2)))
