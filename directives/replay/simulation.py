"""The simulation: a scheme serves the window's traffic, and what came of it is held against always serving `full`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from directives.errors import PolicyError
from directives.replay.data import Floats, Indices, Prompts, Window
from directives.replay.scheme import Judged, Scheme
from directives.replay.traffic import draw, log
from directives.units import JOULES_PER_KWH

__all__ = ["SLICES_PER_HOUR", "Outcome", "simulate"]

SLICES_PER_HOUR = 6
"""A scheme learns from its log this often: a policy in service does so every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a replay, hour by hour.

    Attributes:
        carbon_g: of serving the traffic. full_carbon_g: of serving the same requests with `full`.
        evaluation_g: of generating answers to be judged.
        energy_j, full_energy_j, evaluation_j: likewise in J.
        quality, full_quality: true mean score of the served traffic and of `full`'s, by task over the whole traffic
            half, weighted by the hour's mix.
        shares: of the requests, by directive (columns).
        evaluations: in order.
    """

    carbon_g: Floats
    full_carbon_g: Floats
    evaluation_g: Floats
    energy_j: Floats
    full_energy_j: Floats
    evaluation_j: Floats
    quality: Floats
    full_quality: Floats
    shares: Floats
    evaluations: tuple[Judged, ...]

    @property
    def saving_pct(self) -> float:
        """Carbon saved against always `full`, in %; evaluations are counted as emitted."""
        emitted = self.carbon_g.sum() + self.evaluation_g.sum()
        return float(100 * (1 - emitted / self.full_carbon_g.sum()))

    @property
    def preference(self) -> Floats:
        """Quality as a share of `full`'s, per hour."""
        return self.quality / self.full_quality

    @property
    def preference_pct(self) -> float:
        """Mean over the hours of the quality as a share of `full`'s, in %."""
        return float(100 * self.preference.mean())

    @property
    def evaluation_share_pct(self) -> float:
        """Energy of the evaluations as a share of all energy spent, in %."""
        return float(100 * self.evaluation_j.sum() / (self.evaluation_j.sum() + self.energy_j.sum()))

    def hours_below_pct(self, floor: float) -> float:
        """Share of the hours in which the quality was below `floor` times `full`'s, in %."""
        return float(100 * (self.preference < floor - 1e-12).mean())


def simulate(prompts: Prompts, window: Window, scheme: Scheme, rng: np.random.Generator) -> Outcome:
    """Serve the window's traffic.

    Args:
        prompts: the traffic half.
        window: the hours.
        scheme: who serves; it is changed by what it learns.
        rng: draws the requests and the schemes' draws.

    Raises:
        PolicyError: `full` is worth nothing in some hour, so that no quality is a share of it.
    """
    hours, kinds = len(window.intensity_g_per_kwh), len(prompts.directives)
    rows = prompts.rows_by_task()
    truth = _Truth(prompts, scheme.strata)
    full_quality = np.array([truth.full_quality(mix) for mix in window.mix])
    if not full_quality.all():
        nothing = int(np.flatnonzero(full_quality == 0)[0])
        raise PolicyError(
            f"`full` scores 0 on every prompt of the tasks that come in hour {nothing}, and quality is a share of its; "
            "give prompts that it answers well too, or leave these tasks out"
        )
    energy_j, full_energy_j, time_s, full_time_s, quality = np.zeros((5, hours))
    shares = np.zeros((hours, kinds))
    per_slice = np.diff(np.linspace(0, window.requests_per_hour, SLICES_PER_HOUR + 1).astype(int))
    for hour in range(hours):
        scheme.begin(hour, float(window.intensity_g_per_kwh[hour]))
        drawn, directives = [], []
        for n in per_slice[per_slice > 0]:
            prompt = draw(rows, window.mix[hour], int(n), rng)
            directive = scheme.serve(prompt, rng.random(len(prompt)))
            served = log(prompts, prompt, directive)
            scheme.observe(served)
            drawn.append(prompt)
            directives.append(directive)
            energy_j[hour] += served.energy_j.sum()
            time_s[hour] += served.time_s.sum()
        prompt, directive = np.concatenate(drawn), np.concatenate(directives)
        full_energy_j[hour], full_time_s[hour] = prompts.energy_j[prompt, 0].sum(), prompts.time_s[prompt, 0].sum()
        quality[hour] = truth.quality(prompt, directive, window.mix[hour])
        shares[hour] = np.bincount(directive, minlength=kinds) / len(directive)
    evaluation_j, evaluation_s = np.zeros((2, hours))
    for judged in scheme.evaluations:
        evaluation_j[judged.hour] += judged.energy_j
        evaluation_s[judged.hour] += judged.time_s

    def carbon_g(energy: Floats, time: Floats) -> Floats:
        return energy / JOULES_PER_KWH * window.intensity_g_per_kwh + time * window.embodied_g_per_s

    return Outcome(
        carbon_g=carbon_g(energy_j, time_s),
        full_carbon_g=carbon_g(full_energy_j, full_time_s),
        evaluation_g=carbon_g(evaluation_j, evaluation_s),
        energy_j=energy_j,
        full_energy_j=full_energy_j,
        evaluation_j=evaluation_j,
        quality=quality,
        full_quality=full_quality,
        shares=shares,
        evaluations=tuple(scheme.evaluations),
    )


class _Truth:
    """True quality by task: within a stratum a scheme does not tell prompts apart, so all its prompts count.

    It is `full`'s, and what the directives served gain or lose to it in the strata that were met: in those that were
    not, nothing was served otherwise.
    """

    def __init__(self, prompts: Prompts, strata: Indices) -> None:
        self._kinds = len(prompts.directives)
        pairs = np.stack([prompts.task, strata], axis=1)
        groups, self._group, size = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        self._size = size.astype(float)
        self._task = groups[:, 0]
        self._tasks = len(prompts.tasks)
        sums = np.zeros((len(groups), self._kinds))
        np.add.at(sums, self._group, prompts.quality)
        self._quality = sums / self._size[:, None]
        full = np.bincount(prompts.task, prompts.quality[:, 0], minlength=self._tasks)
        self._full = full / np.maximum(np.bincount(prompts.task, minlength=self._tasks), 1)

    def quality(self, prompt: Indices, directive: Indices, mix: Floats) -> float:
        keys = self._group[prompt] * self._kinds + directive
        counts = np.bincount(keys, minlength=len(self._size) * self._kinds).reshape(-1, self._kinds)
        n = counts.sum(axis=1)
        met = n > 0
        gain = (counts[met] * self._quality[met]).sum(axis=1) / n[met] - self._quality[met, 0]
        task, size = self._task[met], self._size[met]
        weight = np.bincount(task, size, minlength=self._tasks)
        by_task = self._full + np.bincount(task, size * gain, minlength=self._tasks) / np.maximum(weight, 1)
        return float(mix @ by_task)

    def full_quality(self, mix: Floats) -> float:
        return float(mix @ self._full)
