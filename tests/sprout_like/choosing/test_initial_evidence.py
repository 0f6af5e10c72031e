"""What calibration may tell a policy before anything was judged."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from directives import Catalogue, Observation
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.policies.contextual import ContextualPolicy
from directives.profile import Profile
from directives.solving import solve
from directives.workload import Bin
from sprout_like.choosing.initial import initial_evidence

CATALOGUE = Catalogue.builtin()
ASKED = Constraints()
QUESTION = Observation(task="question", prompt_tokens=20, limit_tokens=100, batch_size=1)

Calibrated = Callable[..., Profile]


@pytest.fixture
def profile(calibrated: Calibrated) -> Calibrated:
    """A calibration of questions."""
    return functools.partial(calibrated, QUESTION)


def chosen(found: Profile | None, observation: Observation = QUESTION) -> set[str]:
    """What a fresh install serves on purpose, exploration and control group left out."""
    plan = solve(initial_evidence(found, CATALOGUE), replace(ASKED, explore_share=0.0, control_share=0.0))
    names = tuple(CATALOGUE.directives)
    policy = ContextualPolicy(plan)
    return {policy.choose(observation, names, Random(seed)).directive for seed in range(50)}


def tried(found: Profile | None) -> set[str]:
    plan = solve(initial_evidence(found, CATALOGUE), ASKED)
    return {name for names in plan.explored.values() for name in names}


def test_without_a_calibration_everything_is_served_full() -> None:
    assert chosen(None) == {"full"}


def test_a_lossless_saver_that_is_cheaper_beyond_doubt_is_served(profile: Calibrated) -> None:
    assert chosen(profile(lookup=Estimate(0.7, 0.05, 8), self_draft=Estimate(0.8, 0.05, 8))) == {"lookup"}


@pytest.mark.parametrize("ratio", [Estimate(0.95, 0.3, 8), Estimate(0.7, None, 1), None, Estimate(1.3, 0.05, 8)])
def test_one_whose_saving_may_be_chance_is_not(profile: Calibrated, ratio: Estimate | None) -> None:
    assert chosen(profile(lookup=ratio)) == {"full"}


def test_a_lossy_one_is_not_served_however_cheap_until_it_was_judged(profile: Calibrated) -> None:
    assert chosen(profile(very_brief=Estimate(0.2, 0.01, 8))) == {"full"}


def test_one_that_only_ends_loops_needs_no_judge(profile: Calibrated) -> None:
    assert chosen(profile(no_loops=Estimate(0.6, 0.01, 8))) == {"no_loops"}


def test_what_was_not_calibrated_is_tried_out_and_what_proved_dearer_is_not(profile: Calibrated) -> None:
    found = tried(profile(self_draft=Estimate(1.4, 0.05, 8), very_brief=Estimate(0.4, 0.05, 8)))

    assert "very_brief" in found
    assert "brief" in found
    assert "self_draft" not in found


def test_a_model_of_its_own_is_loaded_for_nobody_who_did_not_calibrate_it(profile: Calibrated) -> None:
    assert not tried(None) & {"bf16", "int8", "int4"}
    assert "int8" in tried(profile(int8=Estimate(0.6, 0.01, 8)))


def test_energies_are_ratios_times_what_full_takes(profile: Calibrated) -> None:
    evidence = initial_evidence(profile(very_brief=Estimate(0.25, 0.02, 8)), CATALOGUE)

    (known,) = [c for c in evidence.cells if c.directive == "very_brief" and c.bin != Bin()]
    assert known.energy_j == Estimate(25.0, 2.0, 8)
    assert known.time_s == Estimate(2.0, 0.1, 8)
