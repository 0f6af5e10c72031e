"""What every policy must keep, run over every policy."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import FixedPolicy, Observation, Policy, ThresholdPolicy
from directives.plan import Expected, Plan
from directives.policies import ContextualPolicy
from directives.workload import Bin

PLAN = Plan(
    edges_g_per_kwh=(100.0, 200.0),
    levels=({Bin(): {"full": 1.0}}, {Bin(): {"brief": 0.4, "full": 0.6}}, {Bin(): {"brief": 0.1, "very_brief": 0.9}}),
    explored={Bin(): ("brief", "very_brief")},
    explore_share=0.1,
    control_share=0.2,
    expected=Expected(
        carbon_g=None, full_carbon_g=None, energy_j=None, full_energy_j=None, quality=None, quality_low=None
    ),
    version="1",
)
POLICIES: tuple[Policy, ...] = (
    FixedPolicy("full"),
    FixedPolicy("brief"),
    ThresholdPolicy(),
    ThresholdPolicy(control_share=0.3),
    ThresholdPolicy(steps=((0.0, "very_brief"),), control_share=0.5),
    ContextualPolicy(PLAN),
)
NAMES = ("full", "brief", "very_brief")

intensities = st.none() | st.floats(0, 2000)
candidates = st.sets(st.sampled_from(NAMES[1:])).map(lambda s: ["full", *sorted(s)])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.version)
class TestEveryPolicy:
    @given(intensity=intensities, names=candidates, seed=st.integers(0, 2**32))
    def test_chooses_a_candidate_with_a_propensity(
        self, policy: Policy, intensity: float | None, names: list[str], seed: int
    ) -> None:
        decision = policy.choose(Observation(intensity_g_per_kwh=intensity), names, Random(seed))
        assert decision.directive in names
        assert decision.propensity is not None
        assert 0 < decision.propensity <= 1
        assert decision.reason

    @given(intensity=intensities, names=candidates, seed=st.integers(0, 2**32))
    def test_is_a_function_of_its_arguments(
        self, policy: Policy, intensity: float | None, names: list[str], seed: int
    ) -> None:
        observation = Observation(intensity_g_per_kwh=intensity)
        assert policy.choose(observation, names, Random(seed)) == policy.choose(observation, names, Random(seed))

    @pytest.mark.parametrize("intensity", [None, 50.0, 150.0, 250.0])
    def test_logs_the_true_probability(self, policy: Policy, intensity: float | None) -> None:
        rng, draws = Random(7), 4000
        seen: Counter[str] = Counter()
        said: dict[str, float] = {}
        for _ in range(draws):
            decision = policy.choose(Observation(intensity_g_per_kwh=intensity), NAMES, rng)
            seen[decision.directive] += 1
            assert said.setdefault(decision.directive, decision.propensity or 0) == decision.propensity
        assert sum(said.values()) == pytest.approx(1)
        for name, probability in said.items():
            # Five standard deviations of a binomial share: one false alarm in a million.
            assert seen[name] / draws == pytest.approx(probability, abs=5 * (0.25 / draws) ** 0.5)
