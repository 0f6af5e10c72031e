"""SPROUT as its authors simulated it, with the look-ahead they allowed themselves, and their oracle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np

from directives.evaluation import sprout_due
from directives.policies.sprout import Level, SproutPolicy
from directives.replay.data import Floats, Indices, Prompts, Window, Year
from directives.replay.evaluator import Evaluator
from directives.replay.scheme import Judged
from directives.replay.schemes.stepwise import pick
from directives.replay.traffic import Served, draw

__all__ = ["Oracle", "Sprout", "program"]

_JUDGED = 1000  # prompts of one evaluation
_PROFILED = 10_000  # requests whose mean energy and time the hour's program is given


class Sprout:
    """Their optimizer and evaluator, hour by hour.

    What it knows and a system in service could not: the year's extremes, the month's mean intensity, the mix of the
    hour to come, and what each directive would take for each of its requests.
    """

    def __init__(
        self,
        prompts: Prompts,
        window: Window,
        year: Year,
        slack: float,
        evaluator: Evaluator,
        rng: np.random.Generator,
    ) -> None:
        self.strata = self._told_apart(len(prompts))
        self._prompts, self._window, self._year, self._slack = prompts, window, year, slack
        self._rows = prompts.rows_by_task()
        self._evaluator, self._rng = evaluator, rng
        self._due = _evaluated(window.intensity_g_per_kwh.tolist())
        self._quality = np.zeros(len(prompts.directives))
        self._shares = np.zeros(len(prompts.directives))

    @property
    def evaluations(self) -> list[Judged]:
        """Those made so far."""
        return self._evaluator.made

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:
        """Evaluate where their rules say so, profile the hour's mix, and solve."""
        mix = self._window.mix[hour]
        if hour in self._due:
            sample = self._evaluator.like_traffic(hour, _JUDGED)
            self._evaluator.judge(hour, sample)
            self._quality = self._evaluator.prompts.quality[sample].mean(axis=0)
        profiled = draw(self._rows, mix, _PROFILED, self._rng)
        energy_j, time_s = (x[profiled].mean(axis=0) for x in (self._prompts.energy_j, self._prompts.time_s))
        figures = (energy_j, time_s, self._quality)
        policy = program(self._prompts.directives, figures, self._window, self._year, self._slack)
        shares = policy.shares(intensity_g_per_kwh)
        self._shares = np.array([shares.get(name, 0.0) for name in self._prompts.directives])

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:  # noqa: ARG002
        """Draw by the hour's shares."""
        return pick(self._shares, uniform)

    def observe(self, served: Served) -> None:
        """Nothing: it was told all in advance."""

    @staticmethod
    def _told_apart(prompts: int) -> Indices:
        """The stratum of each prompt: all are one to it."""
        return np.zeros(prompts, dtype=np.int64)


class Oracle(Sprout):
    """Their oracle: the same shares, the strongest directives given to those requests that save most by them."""

    @staticmethod
    def _told_apart(prompts: int) -> Indices:
        return np.arange(prompts)

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:  # noqa: ARG002
        """Sort by what each request would save, and deal the directives out from the cheapest on."""
        energy_j = self._prompts.energy_j[prompt]
        order = np.argsort(energy_j[:, 0] - energy_j[:, 1:].min(axis=1))[::-1]
        cheapest_first = np.argsort(self._prompts.energy_j.mean(axis=0))
        ends = np.round(np.cumsum(self._shares[cheapest_first]) * len(prompt)).astype(int)
        served = np.zeros(len(prompt), dtype=np.int64)
        for kind, begin, end in zip(cheapest_first, [0, *ends[:-1]], ends, strict=True):
            served[order[begin:end]] = kind
        return served


def program(
    directives: Sequence[str], figures: Iterable[Floats], window: Window, year: Year, slack: float
) -> SproutPolicy:
    """Their linear program for given energy in J, time in s and quality, each by directive."""
    levels = zip(directives, *(figure.tolist() for figure in figures), strict=True)
    return SproutPolicy(
        levels=tuple(Level(directive=name, energy_j=e, time_s=t, quality=q) for name, e, t, q in levels),
        lowest_g_per_kwh=year.lowest_g_per_kwh,
        highest_g_per_kwh=year.highest_g_per_kwh,
        slack=slack,
        embodied_g_per_s=window.embodied_g_per_s,
    )


def _evaluated(intensities_g_per_kwh: Sequence[float]) -> frozenset[int]:
    """The hours in which their evaluator evaluates: the first, and when its rule says so."""
    mean, last, hours = fmean(intensities_g_per_kwh), 0, {0}
    for hour in range(1, len(intensities_g_per_kwh)):
        if sprout_due(intensities_g_per_kwh, hour, last, mean_g_per_kwh=mean):
            last = hour
            hours.add(hour)
    return frozenset(hours)
