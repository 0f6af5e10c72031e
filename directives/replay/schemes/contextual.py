"""The policy in service: it starts knowing nothing, judges, learns costs from its log, and looks back only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from directives.constraints import Constraints
from directives.evaluation import Moment, Sampling, Schedule
from directives.evidence import Evidence, Known
from directives.policies.contextual import ContextualPolicy
from directives.replay.context import Seen
from directives.replay.data import Floats, Indices, Window
from directives.replay.drift import Watch
from directives.replay.evaluator import Evaluator
from directives.replay.scheme import Judged
from directives.replay.schemes.stepwise import pick
from directives.replay.tally import Tally, effective, quality_of
from directives.replay.traffic import Served
from directives.solving import solve

__all__ = ["Contextual"]

_HOUR_S = 3600.0
_PAST_H = 720
"""Hours of past intensities that the plan's levels are made of."""

_REFINED_H = 24
"""Hours after which costs and intensities are taken into the plan anew where nothing else asks for it."""

_TIGHT = 0.05
"""Half-width of a mean score's interval that is tight enough to judge no more."""


class Contextual:
    """Serves `ContextualPolicy` by plans of `solve`, from what it has seen and judged so far.

    What there is to judge is judged at first: an hour of `full` for want of evidence costs more than that. Where bins
    say nothing of the work, quality and costs are those of the work that came lately: a change of it puts an end to
    what was known, and it is evaluated again at once, on prompts like those that come now; else at the lows of the
    intensity.
    """

    def __init__(
        self,
        directives: tuple[str, ...],
        window: Window,
        seen: Seen,
        constraints: Constraints,
        evaluator: Evaluator,
    ) -> None:
        self.strata = seen.traffic
        self._directives, self._seen, self._constraints = directives, seen, constraints
        self._evaluator = evaluator
        self._embodied_g_per_s = window.embodied_g_per_s
        self._past = [float(g_per_kwh) for g_per_kwh in window.past_g_per_kwh]
        self._tally = Tally(len(seen.bins), len(directives))
        self._mix, self._work = Watch(), Watch()
        self._weight: Floats = np.zeros(len(seen.evaluated))
        self._schedule = Schedule()
        self._hour = self._solved_at = 0
        self._intensity = 0.0
        self._policy: ContextualPolicy | None = None
        self._shares = np.zeros((len(seen.bins), len(directives)))
        self._shares[:, 0] = 1.0

    @property
    def evaluations(self) -> list[Judged]:
        """Those made so far."""
        return self._evaluator.made

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:
        """Judge where it is due, and take the shares of this intensity's level."""
        self._hour, self._intensity = hour, intensity_g_per_kwh
        if self._due():
            self._judge(hour - 1)
            self._solve()
        elif hour - self._solved_at >= _REFINED_H:
            self._solve()
        self._look_up()
        self._past.append(intensity_g_per_kwh)

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:
        """Draw by the shares of each request's bin."""
        return pick(self._shares[self._seen.traffic[prompt]], uniform)

    def observe(self, served: Served) -> None:
        """Learn costs and mix; where the work has changed, plan anew."""
        bins = self._seen.traffic[served.prompt]
        other_mix = self._mix.changed(np.bincount(bins, minlength=len(self._seen.bins)).astype(float))
        other_work = self._seen.blind and self._work.changed(self._seen.lengths_of(served.prompt))
        if other_work:
            self._tally.forget()
            self._judge(self._hour)
        self._tally.add(bins, served.directive, served.energy_j, served.time_s)
        if other_work or other_mix:
            self._solve()
            self._look_up()

    def _due(self) -> bool:
        if self.evaluations and not self._seen.blind:
            return False
        past = self._past[-_PAST_H:]
        first = self._hour - len(past)
        trailing = [Moment(hour * _HOUR_S, g_per_kwh) for hour, g_per_kwh in enumerate(past, start=first)]
        last = self.evaluations[-1].hour * _HOUR_S if self.evaluations else None
        return self._schedule.due(self._hour * _HOUR_S, last, self._intensity, trailing, (), idle=True) is not None

    def _judge(self, lately: int) -> None:
        evaluator, ours = self._evaluator, self._seen.evaluated
        evaluator.judge_until(self._hour, self._tight)
        rows = evaluator.known
        weight = evaluator.likeness(lately) if self._seen.blind and lately >= 0 else np.ones(len(rows))
        self._weight[rows] = effective(weight)
        if self._tally.empty:
            energy_j, time_s = evaluator.prompts.energy_j[rows], evaluator.prompts.time_s[rows]
            for kind in range(len(self._directives)):
                kinds = np.full(len(rows), kind)
                self._tally.add(ours[rows], kinds, energy_j[:, kind], time_s[:, kind], self._weight[rows])

    def _tight(self) -> bool:
        """Whether the worth of each lossy directive is known well enough in every bin."""
        sampling = Sampling(half_width=_TIGHT, floor=self._constraints.floor or 0.0)
        quality, known = self._evaluator.prompts.quality, self._evaluator.known
        for at in range(len(self._seen.bins)):
            scores = quality[known[self._seen.evaluated[known] == at]]
            for kind in range(1, len(self._directives)):
                interval = sampling.interval(zip(scores[:, kind].tolist(), scores[:, 0].tolist(), strict=True))
                if interval.high - interval.low > 2 * _TIGHT:
                    return False
        return True

    def _solve(self) -> None:
        self._solved_at = self._hour
        counts = self._mix.seen
        mix = {} if counts is None else dict(zip(self._seen.bins, (counts / counts.sum()).tolist(), strict=True))
        evidence = Evidence(cells=tuple(self._cells()), mix=mix, intensities_g_per_kwh=tuple(self._past[-_PAST_H:]))
        self._policy = ContextualPolicy(solve(evidence, self._constraints, embodied_g_per_s=self._embodied_g_per_s))

    def _cells(self) -> Iterator[Known]:
        for at in range(len(self._seen.bins)):
            rows = np.flatnonzero((self._seen.evaluated == at) & (self._weight > 0))
            scores, weight = self._evaluator.prompts.quality[rows], self._weight[rows]
            for kind, name in enumerate(self._directives):
                energy_j, time_s = self._tally.of(at, kind)
                yield Known(
                    directive=name,
                    bin=self._seen.bins[at],
                    lossless=name == "full",
                    energy_j=energy_j,
                    time_s=time_s,
                    quality=quality_of(scores[:, kind], scores[:, 0], weight),
                )

    def _look_up(self) -> None:
        if self._policy is None:
            return
        for at, home in enumerate(self._seen.bins):
            chances = self._policy.chances(home, self._intensity, self._directives)
            self._shares[at] = [chances.get(name, 0.0) for name in self._directives]
