"""Each policy's own promises."""

from __future__ import annotations

import pytest

from directives import FixedPolicy, Observation, PolicyError, ThresholdPolicy
from directives.testing import ScriptedRandom

ALL = ("full", "brief", "very_brief")


def at(intensity: float | None) -> Observation:
    return Observation(intensity_g_per_kwh=intensity)


@pytest.mark.parametrize(
    ("intensity", "directive"),
    [(0, "full"), (99.9, "full"), (100, "brief"), (199.9, "brief"), (200, "very_brief"), (900, "very_brief")],
)
def test_threshold_takes_the_step_it_has_reached(intensity: float, directive: str) -> None:
    assert ThresholdPolicy().choose(at(intensity), ALL, ScriptedRandom([0.0])).directive == directive


def test_threshold_serves_full_where_the_intensity_is_unknown() -> None:
    decision = ThresholdPolicy().choose(at(None), ALL, ScriptedRandom([0.5]))
    assert (decision.directive, decision.propensity, decision.reason) == ("full", 1.0, "intensity unknown")


def test_threshold_gives_way_to_a_milder_directive_that_can_be_applied() -> None:
    assert ThresholdPolicy().choose(at(500), ("full", "brief"), ScriptedRandom([0.5])).directive == "brief"
    assert ThresholdPolicy().choose(at(500), ("full",), ScriptedRandom([0.5])).directive == "full"


def test_control_group_is_drawn_in_clean_hours_too() -> None:
    policy = ThresholdPolicy(control_share=0.1)
    clean = policy.choose(at(50), ALL, ScriptedRandom([0.05]))
    assert (clean.directive, clean.propensity, clean.group) == ("full", 1.0, "control")
    dirty = policy.choose(at(500), ALL, ScriptedRandom([0.05]))
    assert (dirty.directive, dirty.propensity, dirty.group) == ("full", 0.1, "control")
    served = policy.choose(at(500), ALL, ScriptedRandom([0.5]))
    assert (served.directive, served.propensity, served.group) == ("very_brief", 0.9, "policy")


@pytest.mark.parametrize(
    "steps", [(), ((200.0, "a"), (100.0, "b")), ((100.0, "a"), (100.0, "b")), ((float("nan"), "a"),), ((-1.0, "a"),)]
)
def test_steps_that_make_no_sense_are_refused(steps: tuple[tuple[float, str], ...]) -> None:
    with pytest.raises(PolicyError, match="threshold steps"):
        ThresholdPolicy(steps=steps)


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_control_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(PolicyError, match="control_share"):
        ThresholdPolicy(control_share=share)


def test_versions_tell_parameters_apart() -> None:
    versions = {
        ThresholdPolicy().version,
        ThresholdPolicy(control_share=0.1).version,
        ThresholdPolicy(steps=((1.0, "brief"),)).version,
        FixedPolicy("brief").version,
    }
    assert len(versions) == 4


def test_fixed_says_why_it_could_not_serve_its_directive() -> None:
    decision = FixedPolicy("brief").choose(at(1), ("full",), ScriptedRandom([0.5]))
    assert decision.directive == "full"
    assert "brief cannot be applied" in decision.reason
