"""The plan as it is served: every probability that is logged is the one that was drawn with."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directives import Observation
from directives.plan import Expected, Plan
from directives.policies.contextual import ContextualPolicy
from directives.testing import ScriptedRandom
from directives.workload import Bin

NAMES = ("full", "brief", "very_brief", "draft", "odd", "new")
NOTHING = Expected(carbon_g=None, full_carbon_g=None, energy_j=None, full_energy_j=None, quality=None, quality_low=None)
CHAT = Bin(task="chat", prompt_tokens="1-128", limit_tokens="33-128", batch_size="1")
ASKED = {"prompt_tokens": 20, "limit_tokens": 100, "batch_size": 1}


def plan(**changes: object) -> Plan:
    clean = {CHAT: {"full": 0.6, "brief": 0.4}, Bin(task="chat"): {"brief": 0.2, "full": 0.8}, Bin(): {"draft": 1.0}}
    dirty = {CHAT: {"brief": 0.3, "very_brief": 0.7}, Bin(task="chat"): {"brief": 1.0}, Bin(): {"draft": 1.0}}
    settings = {
        "edges_g_per_kwh": (200.0,),
        "levels": (clean, dirty),
        "explored": {CHAT: ("odd", "new"), Bin(): ("new",)},
        "explore_share": 0.1,
        "control_share": 0.2,
        "pinned": {"law": "brief"},
        "expected": NOTHING,
        "version": "abc",
        **changes,
    }
    return Plan(**settings)  # type: ignore[arg-type]


def probabilities(policy: ContextualPolicy, seen: Observation, candidates: tuple[str, ...]) -> dict[str, float]:
    """What is logged for each directive that a fine comb of draws reaches."""
    logged: dict[str, float] = {}
    for i in range(1000):
        decision = policy.choose(seen, candidates, ScriptedRandom([(i + 0.5) / 1000]))
        assert decision.propensity is not None
        assert logged.setdefault(decision.directive, decision.propensity) == decision.propensity
    return logged


@given(
    intensity=st.none() | st.floats(0, 500),
    task=st.sampled_from([None, "chat", "law", "else"]),
    tokens=st.sampled_from([20, 5000]),
    others=st.sets(st.sampled_from(NAMES[1:])),
)
@settings(deadline=None, max_examples=60)
def test_logged_probabilities_sum_to_one_under_any_candidates(
    intensity: float | None, task: str | None, tokens: int, others: set[str]
) -> None:
    seen = Observation(intensity_g_per_kwh=intensity, task=task, prompt_tokens=tokens, limit_tokens=100, batch_size=1)
    candidates = ("full", *sorted(others))
    logged = probabilities(ContextualPolicy(plan()), seen, candidates)
    assert set(logged) <= set(candidates)
    assert math.fsum(logged.values()) == pytest.approx(1)


@pytest.mark.parametrize("candidates", [NAMES, ("full", "brief", "new"), ("full",)])
def test_logged_probabilities_are_the_frequencies_of_200_000_draws(candidates: tuple[str, ...]) -> None:
    policy, rng, draws = ContextualPolicy(plan()), Random(11), 200_000
    seen = Observation(intensity_g_per_kwh=300.0, task="chat", **ASKED)
    counts: Counter[str] = Counter()
    logged: dict[str, float] = {}
    for _ in range(draws):
        decision = policy.choose(seen, candidates, rng)
        counts[decision.directive] += 1
        logged[decision.directive] = decision.propensity or 0.0
    for name, chance in logged.items():
        assert counts[name] / draws == pytest.approx(chance, abs=5 * math.sqrt(0.25 / draws))


def test_shares_are_those_of_what_control_group_and_exploration_leave() -> None:
    policy = ContextualPolicy(plan())
    dirty = probabilities(policy, Observation(intensity_g_per_kwh=200.0, task="chat", **ASKED), NAMES)
    assert dirty == pytest.approx({"full": 0.2, "odd": 0.05, "new": 0.05, "brief": 0.21, "very_brief": 0.49})
    clean = probabilities(policy, Observation(intensity_g_per_kwh=199.0, task="chat", **ASKED), NAMES)
    assert clean == pytest.approx({"full": 0.2 + 0.42, "odd": 0.05, "new": 0.05, "brief": 0.28})


def test_what_cannot_be_applied_leaves_its_share_to_full_and_its_exploration_to_the_others() -> None:
    seen = Observation(intensity_g_per_kwh=300.0, task="chat", **ASKED)
    logged = probabilities(ContextualPolicy(plan()), seen, ("full", "brief", "new"))
    assert logged == pytest.approx({"full": 0.2 + 0.49, "new": 0.1, "brief": 0.21})
    without = probabilities(ContextualPolicy(plan()), seen, ("full", "brief"))
    assert without == pytest.approx({"full": 0.2 + 0.8 * 0.7, "brief": 0.8 * 0.3})


def test_an_unknown_bin_takes_its_tasks_row_then_that_of_all_then_full() -> None:
    policy = ContextualPolicy(plan(control_share=0.0, explored={}))
    long = Observation(intensity_g_per_kwh=300.0, task="chat", prompt_tokens=5000, limit_tokens=100, batch_size=1)
    assert probabilities(policy, long, NAMES) == {"brief": 1.0}
    assert probabilities(policy, Observation(task="else"), NAMES) == {"draft": 1.0}
    bare = ContextualPolicy(plan(levels=({}, {}), control_share=0.0, explored={}))
    assert probabilities(bare, long, NAMES) == {"full": 1.0}


def test_an_unknown_intensity_takes_the_level_that_keeps_most_quality() -> None:
    policy = ContextualPolicy(plan(control_share=0.0, explored={}))
    assert probabilities(policy, Observation(task="chat", **ASKED), NAMES) == pytest.approx({"full": 0.6, "brief": 0.4})


def test_a_pinned_task_has_its_control_group_and_no_exploration() -> None:
    policy = ContextualPolicy(plan(explored={Bin(): ("new",)}))
    seen = Observation(task="law", **ASKED)
    assert probabilities(policy, seen, NAMES) == pytest.approx({"full": 0.2, "brief": 0.8})
    assert probabilities(policy, seen, ("full",)) == pytest.approx({"full": 1.0})


def test_the_control_group_is_marked_even_where_the_plan_serves_full() -> None:
    policy = ContextualPolicy(plan(levels=({}, {}), explored={}))
    control = policy.choose(Observation(), NAMES, ScriptedRandom([0.1]))
    planned = policy.choose(Observation(), NAMES, ScriptedRandom([0.9]))
    assert (control.group, control.propensity) == ("control", 1.0)
    assert (planned.group, planned.propensity) == ("policy", 1.0)


def test_one_draw_per_request() -> None:
    draws = iter([0.5])

    class Once:
        def random(self) -> float:
            return next(draws)

    assert ContextualPolicy(plan()).choose(Observation(task="chat", **ASKED), NAMES, Once()).directive in NAMES


def test_it_names_itself_and_its_reach() -> None:
    policy = ContextualPolicy(plan())
    assert (policy.name, policy.version) == ("contextual", "contextual:abc")
    assert policy.reach == {"full", "brief", "very_brief", "draft", "odd", "new"}
