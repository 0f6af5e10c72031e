"""SPROUT's program and evaluator, against independent reckonings of what its authors wrote down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from directives.policies.sprout import Level, SproutPolicy
from directives.replay import replay
from tests.directives.replay.synthetic import (
    DIRECTIVES,
    YEAR,
    experiment_of,
    random_prompts,
    random_window,
    window_of,
)

figure = st.floats(0.01, 1.0)


@given(
    levels=st.lists(st.tuples(figure, figure, figure), min_size=2, max_size=5),
    intensity=st.floats(0, 600),
    slack=st.floats(0, 1),
    embodied_g_per_s=st.sampled_from([0.0, 1.67e-4, 0.01]),
)
@settings(max_examples=150, deadline=None)
def test_the_shares_are_the_optimum_of_the_linear_program(
    levels: list[tuple[float, float, float]], intensity: float, slack: float, embodied_g_per_s: float
) -> None:
    policy = SproutPolicy(
        levels=tuple(
            Level(directive="full" if i == 0 else f"level {i}", energy_j=3.6e6 * e, time_s=1000 * t, quality=q)
            for i, (e, t, q) in enumerate(levels)
        ),
        lowest_g_per_kwh=50,
        highest_g_per_kwh=400,
        slack=slack,
        embodied_g_per_s=embodied_g_per_s,
    )
    energy_kwh, time_ks, quality = np.array(levels).T
    carbon_g = energy_kwh * intensity + embodied_g_per_s * 1000 * time_ks
    position = min(max((intensity - 50) / 350, 0), 1)
    floor = (1 - slack * position) * quality[0]
    best = linprog(carbon_g, A_ub=[-quality], b_ub=[-floor], A_eq=[np.ones(len(levels))], b_eq=[1], bounds=(0, 1))
    assume(best.success)
    shares = policy.shares(intensity)
    x = np.array([shares.get(level.directive, 0.0) for level in policy.levels])
    assert x.sum() == pytest.approx(1)
    assert x.min() >= 0
    assert quality @ x >= floor - 1e-9
    assert carbon_g @ x == pytest.approx(best.fun, rel=1e-6, abs=1e-6)


def hours_of(intensities: Sequence[float]) -> list[int]:
    """`OfflineAssessor`, rule by rule: when it evaluates; the optimizer evaluates at hour 0 by itself."""
    mean, hours = sum(intensities) / len(intensities), [0]
    for now in range(1, len(intensities)):
        since = now - hours[-1]
        adjusted = [g * math.exp(0.029 * (since - 2 + i)) for i, g in enumerate(intensities[max(now - 2, 0) : now + 1])]
        if since >= 72:
            hours.append(now)
        elif since > 6 and intensities[now] <= mean:
            before, after = adjusted[1] - adjusted[0], adjusted[2] - adjusted[1]
            if before <= 0 <= after:
                hours.append(now)
    return hours


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_it_evaluates_when_its_rules_say_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hours = 100
    intensities = 200 + 100 * np.sin(np.arange(hours) / rng.uniform(2, 9)) + rng.uniform(0, 40, hours)
    intensities[40:] += rng.choice([0, 400])  # then nothing is under the mean, and an evaluation is forced
    window = window_of(intensities.tolist(), [[0.5, 0.5]] * hours, requests_per_hour=30)
    outcome = replay("sprout", experiment_of(random_prompts(rng, 30), window))
    assert [judged.hour for judged in outcome.evaluations] == hours_of(intensities.tolist())


def test_three_days_without_an_evaluation_force_one() -> None:
    window = window_of([200.0] + [300.0 + i for i in range(80)], [[0.5, 0.5]] * 81, requests_per_hour=30)
    outcome = replay("sprout", experiment_of(random_prompts(np.random.default_rng(0), 30), window))
    assert 72 in {judged.hour for judged in outcome.evaluations}


def test_its_shares_are_those_of_what_it_was_told() -> None:
    """With so few prompts that all are judged, and all requests profiled, the program can be written down."""
    rng = np.random.default_rng(2)
    prompts = random_prompts(rng, 200)
    window = window_of([60.0, 390.0], [[1.0, 0.0]] * 2, requests_per_hour=50_000)
    outcome = replay("sprout", experiment_of(prompts, window, floor_slack=0.2))
    sums = prompts.task == 0
    policy = SproutPolicy(
        levels=tuple(
            Level(directive=name, energy_j=e, time_s=t, quality=q)
            for name, e, t, q in zip(
                DIRECTIVES,
                *(x[sums].mean(axis=0).tolist() for x in (prompts.energy_j, prompts.time_s, prompts.quality)),
                strict=True,
            )
        ),
        lowest_g_per_kwh=YEAR.lowest_g_per_kwh,
        highest_g_per_kwh=YEAR.highest_g_per_kwh,
        slack=0.2,
    )
    for shares, intensity in zip(outcome.shares, (60.0, 390.0), strict=True):
        expected = policy.shares(intensity)
        assert shares.tolist() == pytest.approx([expected.get(name, 0.0) for name in DIRECTIVES], abs=0.01)


def test_the_oracle_deals_out_what_sprout_draws_and_saves_more_by_it() -> None:
    rng = np.random.default_rng(4)
    experiment = experiment_of(random_prompts(rng, 200), random_window(rng, 24, 2000))
    drawn, dealt = (replay(policy, experiment) for policy in ("sprout", "oracle"))
    assert np.abs(dealt.shares - drawn.shares).max() < 0.05
    assert dealt.saving_pct > drawn.saving_pct + 1
