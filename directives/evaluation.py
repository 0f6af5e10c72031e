"""When answers are judged, how many are enough, and whether the judge likes one place better than the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Final, Literal, NamedTuple

from directives.errors import PolicyError

__all__ = [
    "SPROUT_DECAY_PER_H",
    "Due",
    "Enough",
    "Interval",
    "Moment",
    "Sampling",
    "Schedule",
    "first_share",
    "mean_interval",
    "sprout_due",
    "urgency",
]

SPROUT_DECAY_PER_H: Final = 0.029
"""Half the confidence is lost in a day: ln 2 / 24 h (SPROUT, `OfflineAssessor`)."""

_HOUR_S: Final = 3600.0

Due = Literal["first", "forced", "low"]
Enough = Literal["tight", "above", "below"]


class Moment(NamedTuple):
    """An intensity, in g CO2e per kWh, and since or from when it holds, in s of any one clock."""

    at_s: float
    g_per_kwh: float


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def urgency(g_per_kwh: float, since_s: float, *, decay_per_h: float = SPROUT_DECAY_PER_H) -> float:
    """SPROUT's urgency-adjusted intensity: CI · e^(β Δ).

    What was judged long ago is trusted less, which weighs as if carbon had become dearer to wait for: an intensity is
    as good a time to judge as another one only if it is lower by e^(-β) per hour of waiting.

    Args:
        g_per_kwh: intensity.
        since_s: Δ, time since the last evaluation, in s.
        decay_per_h: β, per hour.
    """
    return g_per_kwh * math.exp(decay_per_h * since_s / _HOUR_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """SPROUT's rule of when to evaluate, without what it takes from the future.

    It compares the intensity with the mean of the whole month to come; here it is the mean of the past that is known.
    Where a forecast is known, a minimum is told before it is over.

    Attributes:
        grace_s: shortest time between evaluations, in s. force_s: longest, in s; then neither carbon nor load counts.
        decay_per_h: β of `urgency`.

    Raises:
        PolicyError: the times are not in order, or the decay is negative.
    """

    grace_s: float = 6 * _HOUR_S
    force_s: float = 72 * _HOUR_S
    decay_per_h: float = SPROUT_DECAY_PER_H

    def __post_init__(self) -> None:
        if not 0 <= self.grace_s < self.force_s < math.inf:
            raise PolicyError(f"grace_s is {self.grace_s} and force_s {self.force_s}; give 0 <= grace_s < force_s")
        if not 0 <= self.decay_per_h < math.inf:
            raise PolicyError(f"decay_per_h is {self.decay_per_h}; give a rate per hour >= 0")

    def due(
        self,
        now_s: float,
        last_s: float | None,
        intensity_g_per_kwh: float | None,
        trailing: Sequence[Moment],
        forecast: Sequence[Moment],
        *,
        idle: bool,
    ) -> Due | None:
        """Why an evaluation is due now; None where it is not.

        The first is due as soon as there is idle capacity. Later ones wait for a low: no more than the mean of the
        past, and a local minimum of the urgency-adjusted intensity.

        Args:
            now_s: now, in s of any clock.
            last_s: when the last evaluation ended, by the same clock; None where there was none.
            intensity_g_per_kwh: intensity now; None where unknown: then only the first and the forced ones are due.
            trailing: past intensities, oldest first, without that of now; none known means no low is told.
            forecast: intensities to come, soonest first; none known means a minimum is told once it is over.
            idle: whether there is capacity to spare.
        """
        if last_s is None:
            return "first" if idle else None
        since_s = now_s - last_s
        if since_s >= self.force_s:
            return "forced"
        if since_s <= self.grace_s or not idle or intensity_g_per_kwh is None or not trailing:
            return None
        if intensity_g_per_kwh > fmean(past.g_per_kwh for past in trailing):
            return None
        past = [self._adjusted(moment, last_s) for moment in trailing[-2:]]
        now = self._adjusted(Moment(now_s, intensity_g_per_kwh), last_s)
        if forecast:
            ahead = (self._adjusted(m, last_s) for m in forecast if now_s < m.at_s < last_s + self.force_s)
            at_minimum = past[-1] >= now and all(now <= later for later in ahead)
        else:
            at_minimum = len(past) > 1 and past[0] >= past[1] <= now
        return "low" if at_minimum else None

    def _adjusted(self, moment: Moment, last_s: float) -> float:
        return urgency(moment.g_per_kwh, moment.at_s - last_s, decay_per_h=self.decay_per_h)


def sprout_due(intensities_g_per_kwh: Sequence[float], hour: int, last_hour: int, *, mean_g_per_kwh: float) -> bool:
    """SPROUT's own rule, hour by hour, as its published code has it (`OfflineAssessor`).

    Args:
        intensities_g_per_kwh: one per hour.
        hour: now, as an index of these.
        last_hour: that of the last evaluation, 0 or more.
        mean_g_per_kwh: theirs is the mean of all hours of the run, future ones too.
    """
    since = hour - last_hour
    if hour == 0:
        return False
    if since >= 72:
        return True
    if since <= 6 or intensities_g_per_kwh[hour] > mean_g_per_kwh:
        return False
    before, previous, now = (
        urgency(intensities_g_per_kwh[h], (h - last_hour) * _HOUR_S) for h in range(hour - 2, hour + 1)
    )
    return before >= previous <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """When enough prompts were judged. May be asked after each one: looking often costs no confidence.

    Attributes:
        half_width: of the interval of the mean worth (score less `floor` times `full`'s) that is tight enough. In
            pairwise comparisons a worth moves nearly twice as far as a score.
        floor: as in `Constraints`; a worth whose interval lies on one side of 0 is clear whatever its width.
        confidence: that the interval holds the true mean, at all looks together.

    Raises:
        PolicyError: a value outside its range.
    """

    half_width: float = 0.1
    floor: float = 0.95
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.half_width > 0:
            raise PolicyError(f"half_width is {self.half_width}; give a score difference > 0")
        if not (0 <= self.floor <= 1 and 0 < self.confidence < 1):
            raise PolicyError(f"floor is {self.floor} and confidence {self.confidence}; give shares in [0, 1]")

    def interval(self, scores: Iterable[tuple[float, float]]) -> Interval:
        """Of the mean worth of pairs (score, score of `full`), both in [0, 1], in the order in which they came."""
        worths = [score - self.floor * full for score, full in scores]
        return mean_interval(worths, lowest=-self.floor, highest=1.0, aim=self.half_width, confidence=self.confidence)

    def enough(self, scores: Iterable[tuple[float, float]]) -> Enough | None:
        """Why no more are needed; None where they are."""
        found = self.interval(scores)
        if found.low > 0:
            return "above"
        if found.high < 0:
            return "below"
        return "tight" if found.high - found.low <= 2 * self.half_width else None


def mean_interval(values: Sequence[float], *, lowest: float, highest: float, aim: float, confidence: float) -> Interval:
    """An interval of the mean that may be looked at after every value, and the search stopped at the best moment.

    The predictable plug-in empirical-Bernstein confidence sequence of Waudby-Smith and Ramdas, "Estimating means of
    bounded random variables by betting", JRSS B 86 (2024), theorem 2. It holds whatever λ is made of the values before;
    here λ = aim / (aim + variance), which makes the half-width (L + n variance (-ln(1 - λ) - λ)) / (n λ) reach the aim
    at the smallest n, where theirs keeps getting tighter for ever. The values may have any distribution, each with the
    same mean given those before.

    Args:
        values: in the order in which they came.
        lowest: bound that no value can be under.
        highest: bound that no value can be over.
        aim: half-width to be reached soonest.
        confidence: probability that the interval holds the mean at every look.

    Raises:
        PolicyError: a value is outside its bounds.
    """
    span = highest - lowest
    budget = math.log(2 / (1 - confidence))
    mean, variance = 0.5, 0.25  # of what was seen before, with one imagined value of each
    weights = weighted = spent = total = squares = 0.0
    for n, value in enumerate(values, start=1):
        x = (value - lowest) / span
        if not -1e-9 <= x <= 1 + 1e-9:
            raise PolicyError(f"a value is {value}, outside [{lowest}, {highest}]; give scores in [0, 1]")
        bet = aim / (aim + span * variance)
        spent += (-math.log1p(-bet) - bet) * (x - mean) ** 2
        weights += bet
        weighted += bet * x
        total += x
        mean = (0.5 + total) / (n + 1)
        squares += (x - mean) ** 2
        variance = (0.25 + squares) / (n + 1)
    if not weights:
        return Interval((lowest + highest) / 2, lowest, highest)
    center, half = weighted / weights, (budget + spent) / weights
    ends = (max(0.0, center - half), min(1.0, center + half))
    return Interval(fmean(values), lowest + span * ends[0], lowest + span * ends[1])


def first_share(first: int, second: int, *, confidence: float = 0.95) -> Interval | None:
    """Share of the preferences that went to the answer shown first; 0.5 is without bias. None where there are none.

    Wilson's interval (1927). Asked in both orders, a judge without bias prefers each place once, so the two are less
    spread than the draws that the interval takes them for: it is rather too wide.

    Args:
        first: preferences for the answer shown first.
        second: for the other; ties are in neither.
        confidence: of the interval.
    """
    n = first + second
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, shrink = first / n, 1 + z * z / n
    center = (share + z * z / (2 * n)) / shrink
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    return Interval(share, min(share, max(0.0, center - half)), max(share, min(1.0, center + half)))
