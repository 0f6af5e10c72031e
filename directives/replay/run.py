"""One replay, by the name of the policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from directives.constraints import Constraints
from directives.errors import PolicyError
from directives.plan import Shares
from directives.policies import ThresholdPolicy
from directives.policies.sprout import SproutPolicy
from directives.policy import Observation
from directives.replay.context import Context, Seen
from directives.replay.data import Prompts, Window, Year
from directives.replay.evaluator import Evaluator
from directives.replay.scheme import Scheme
from directives.replay.schemes.contextual import Contextual
from directives.replay.schemes.sprout import Oracle, Sprout, program
from directives.replay.schemes.stepwise import Blind
from directives.replay.simulation import Outcome, simulate

__all__ = ["SCHEMES", "Experiment", "replay"]

SCHEMES = ("co2opt", "static", "sprout", "oracle", "contextual", "threshold")
"""Policies by name; any directive's name stands for serving it always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What a replay is run on and with.

    Attributes:
        prompts: all of them; a random half is served, the other is the evaluator's.
        window: the hours. year: what SPROUT knows of the year in advance.
        floor_slack: share of `full`'s quality that may be given up at any time.
        mean_slack: likewise over time, by the contextual policy; None for as much with task or text, and for half of
            it without: who cannot tell where brevity costs nothing gains most by when it is used.
        context: what the contextual policy can tell of a request.
        control_share: share of the requests that the contextual policy always serves `full`.
        confidence: as in `Constraints`, for the contextual policy.
        seed: of all draws.
    """

    prompts: Prompts
    window: Window
    year: Year
    floor_slack: float = 0.1
    mean_slack: float | None = None
    context: Context = "task"
    control_share: float = 0.005
    confidence: float = 0.996
    seed: int = 0


def replay(policy: str, experiment: Experiment) -> Outcome:
    """Serve the window's traffic by a policy.

    The requests are the same for every policy with the same seed.

    Raises:
        PolicyError: no policy or directive of that name, or a task with too few prompts to be halved.
        Infeasible: the floor cannot hold.
    """
    halving, drawing, judging, profiling = (
        np.random.default_rng(child) for child in np.random.SeedSequence(experiment.seed).spawn(4)
    )
    order = halving.permutation(len(experiment.prompts))
    half = len(order) // 2
    evaluated, traffic = experiment.prompts.of(order[:half]), experiment.prompts.of(order[half:])
    for name, task in zip(traffic.tasks, range(len(traffic.tasks)), strict=True):
        if min((evaluated.task == task).sum(), (traffic.task == task).sum()) == 0:
            raise PolicyError(f"task {name!r} has too few prompts to be served and judged; give more of it")
    scheme = _scheme(policy, experiment, evaluated, traffic, judging, profiling)
    return simulate(traffic, experiment.window, scheme, drawing)


def _scheme(
    policy: str,
    experiment: Experiment,
    evaluated: Prompts,
    traffic: Prompts,
    judging: np.random.Generator,
    profiling: np.random.Generator,
) -> Scheme:
    window, names = experiment.window, traffic.directives
    match policy:
        case "contextual":
            slack, mean_slack = experiment.floor_slack, experiment.mean_slack
            if mean_slack is None:
                mean_slack = slack / 2 if experiment.context == "none" else slack
            constraints = Constraints(
                floor=1 - slack,
                mean_floor=1 - mean_slack,
                confidence=experiment.confidence,
                control_share=experiment.control_share,
            )
            seen = Seen.of(experiment.context, evaluated, traffic, experiment.seed)
            return Contextual(names, window, seen, constraints, Evaluator(evaluated, window.mix, judging))
        case "sprout" | "oracle":
            # As they did: what is judged and what is served are the same prompts.
            evaluator = Evaluator(experiment.prompts, window.mix, judging)
            kind = Sprout if policy == "sprout" else Oracle
            return kind(traffic, window, experiment.year, experiment.floor_slack, evaluator, profiling)
        case "static":
            shares = _over_all(experiment).shares(experiment.year.mean_g_per_kwh)
            return Blind(len(traffic), names, lambda _: shares)
        case "co2opt":
            cheapest = names[int(experiment.prompts.energy_j.mean(axis=0).argmin())]
            return Blind(len(traffic), names, lambda _: {cheapest: 1.0})
        case "threshold":
            return Blind(len(traffic), names, lambda g_per_kwh: _steps(names, g_per_kwh))
    if policy not in names:
        raise PolicyError(f"policy {policy!r} is none of {', '.join(SCHEMES)}, nor a directive ({', '.join(names)})")
    return Blind(len(traffic), names, lambda _: {policy: 1.0})


class _Unasked:
    """Without a control group the threshold policy draws nothing."""

    def random(self) -> float:
        return 0.0


def _steps(directives: tuple[str, ...], intensity_g_per_kwh: float) -> Shares:
    observation = Observation(intensity_g_per_kwh=intensity_g_per_kwh)
    return {ThresholdPolicy().choose(observation, directives, _Unasked()).directive: 1.0}


def _over_all(experiment: Experiment) -> SproutPolicy:
    """Their program with what holds on average: all prompts, all hours' mix."""
    prompts, window, year = experiment.prompts, experiment.window, experiment.year
    weight = window.mix.mean(axis=0) / np.bincount(prompts.task, minlength=len(prompts.tasks))
    return program(
        prompts.directives,
        (
            np.average(figures, axis=0, weights=weight[prompts.task])
            for figures in (prompts.energy_j, prompts.time_s, prompts.quality)
        ),
        window,
        year,
        experiment.floor_slack,
    )
