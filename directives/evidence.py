"""What is known of directives when a policy is made: costs, judged quality, and how much of which work there is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from directives.estimate import Estimate
from directives.workload import Bin

__all__ = ["Evidence", "Known", "Quality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Scores of one directive's answers beside those of `full` to the same prompts, on one scale.

    Both are kept because the floor is a share of `full`'s quality, and as pairs because what differs between prompts
    then cancels out.

    Attributes:
        n: prompts judged.
        mean: mean score, in [0, 1]. full_mean: mean score of `full` on the same prompts.
        variance, full_variance, covariance: second central moments over the prompts (divided by n).
    """

    n: int
    mean: float
    full_mean: float
    variance: float
    full_variance: float
    covariance: float

    @classmethod
    def of(cls, scores: Iterable[tuple[float, float]]) -> Quality | None:
        """Of pairs (score, score of `full` to the same prompt); None where there are none."""
        pairs = list(scores)
        if not pairs:
            return None
        n = len(pairs)
        mean, full = math.fsum(s for s, _ in pairs) / n, math.fsum(f for _, f in pairs) / n
        return cls(
            n=n,
            mean=mean,
            full_mean=full,
            variance=math.fsum((s - mean) ** 2 for s, _ in pairs) / n,
            full_variance=math.fsum((f - full) ** 2 for _, f in pairs) / n,
            covariance=math.fsum((s - mean) * (f - full) for s, f in pairs) / n,
        )

    def merged(self, other: Quality) -> Quality:
        """Of the prompts of both (Chan, Golub and LeVeque 1983, eq. 2.1)."""
        n = self.n + other.n
        a, b = self.n / n, other.n / n
        up, full_up = other.mean - self.mean, other.full_mean - self.full_mean
        return Quality(
            n=n,
            mean=self.mean + b * up,
            full_mean=self.full_mean + b * full_up,
            variance=a * self.variance + b * other.variance + a * b * up * up,
            full_variance=a * self.full_variance + b * other.full_variance + a * b * full_up * full_up,
            covariance=a * self.covariance + b * other.covariance + a * b * up * full_up,
        )

    def worth(self, floor: float) -> Estimate:
        """Score minus `floor` times `full`'s, per prompt: below 0 in the mean is below the floor."""
        spread = self.variance - 2 * floor * self.covariance + floor * floor * self.full_variance
        sd = math.sqrt(max(spread, 0.0) * self.n / (self.n - 1)) if self.n > 1 else None
        return Estimate(self.mean - floor * self.full_mean, sd, self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One directive in one bin.

    Attributes:
        directive: its name. bin: the workload bin; a bin with empty parts stands for all that differ in those alone.
        lossless: whether it provably leaves a greedy answer as it was: it then needs no judged quality.
        energy_j: energy per request, in J; None where it was never measured here.
        time_s: time in the engine per request, in s; None likewise.
        quality: judged answers; None where none was judged here. For `full` both scores are the same.
    """

    directive: str
    bin: Bin
    lossless: bool
    energy_j: Estimate | None = None
    time_s: Estimate | None = None
    quality: Quality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known. What has no cell is unknown.

    Attributes:
        cells: at most one per directive and bin; `full` among them.
        mix: share of the requests per bin, summing to 1; empty where there were none yet.
        intensities_g_per_kwh: intensities of the past, each standing for as much traffic as the others; empty where
            none is known.
        requests_per_day: how many requests come; None where unknown.
    """

    cells: tuple[Known, ...]
    mix: Mapping[Bin, float] = field(default_factory=dict)
    intensities_g_per_kwh: tuple[float, ...] = ()
    requests_per_day: float | None = None
