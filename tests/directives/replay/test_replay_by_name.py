"""Replays as they are asked for: halves, seeds, names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from directives import PolicyError
from directives.replay import SCHEMES, Experiment, Outcome, replay
from tests.directives.replay.synthetic import (
    DIRECTIVES,
    experiment_of,
    prompts_of,
    random_prompts,
    random_window,
    window_of,
)


def experiment(seed: int = 0, **given: object) -> Experiment:
    rng = np.random.default_rng(11)
    return experiment_of(random_prompts(rng), random_window(rng, 24), seed=seed, **given)


def figures(outcome: Outcome) -> tuple[list[float], ...]:
    return (outcome.carbon_g.tolist(), outcome.quality.tolist(), outcome.evaluation_j.tolist())


@pytest.mark.parametrize("policy", [*SCHEMES, *DIRECTIVES])
def test_the_same_seed_gives_the_same_figures(policy: str) -> None:
    assert figures(replay(policy, experiment(seed=3))) == figures(replay(policy, experiment(seed=3)))
    assert figures(replay(policy, experiment(seed=3))) != figures(replay(policy, experiment(seed=4)))


@pytest.mark.parametrize("policy", [*SCHEMES, *DIRECTIVES])
def test_every_policy_serves_the_same_requests(policy: str) -> None:
    assert replay(policy, experiment()).full_carbon_g.tolist() == replay("full", experiment()).full_carbon_g.tolist()


def test_what_is_judged_is_never_served_and_is_paid_for_once() -> None:
    """`full` takes 2^i J for the i-th of 40 prompts, and nothing else takes any: a sum tells which are in it."""
    n = 40
    energy_j = [[2.0**i, 0.0] for i in range(n)]
    window = window_of(np.random.default_rng(0).uniform(60, 390, 300).tolist(), [[1.0]] * 300, requests_per_hour=1)
    prompts = prompts_of([0] * n, energy_j, [[1, i % 2] for i in range(n)])
    outcome = replay("contextual", experiment_of(prompts, window))
    paid = int(outcome.evaluation_j.sum())
    evaluated = {i for i in range(n) if paid >> i & 1}
    served = {int(joules).bit_length() - 1 for joules in outcome.full_energy_j}
    assert len(evaluated) == n // 2, "all of its half, each once: twice would carry into the next bit"
    assert len(served) == n // 2
    assert not served & evaluated


def test_a_floor_that_allows_nothing_is_kept_by_full() -> None:
    outcome = replay("contextual", experiment(floor_slack=0.0))
    assert outcome.hours_below_pct(0.95) == 0
    assert outcome.shares[:, 0].mean() > 0.5


def test_the_control_group_is_served_full() -> None:
    outcome = replay("contextual", experiment(floor_slack=0.9, control_share=0.3, confidence=0.6))
    assert outcome.shares[:, 0].min() > 0.2


def test_cheapest_is_by_energy_and_a_directive_is_always_served() -> None:
    assert replay("co2opt", experiment()).shares.tolist() == [[0, 0, 1]] * 24
    assert replay("brief", experiment()).shares.tolist() == [[0, 1, 0]] * 24


def test_static_serves_the_same_at_any_intensity() -> None:
    shares = replay("static", experiment()).shares
    assert np.ptp(shares, axis=0).max() < 0.15
    assert not replay("static", experiment()).evaluations


def test_threshold_follows_the_intensity_alone() -> None:
    window = window_of([50, 150, 300], [[0.5, 0.5]] * 3)
    outcome = replay("threshold", replace(experiment(), window=window))
    assert outcome.shares.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(PolicyError, match=r"policy 'breif' is none of co2opt, .* nor a directive \(full, brief"):
        replay("breif", experiment())


def test_a_task_too_rare_for_both_halves_is_refused() -> None:
    prompts = prompts_of([0, 0, 0, 1], [[1, 1]] * 4, [[1, 1]] * 4)
    with pytest.raises(PolicyError, match="task 'songs' has too few prompts to be served and judged"):
        replay("contextual", experiment_of(prompts, window_of([1], [[0.5, 0.5]])))
