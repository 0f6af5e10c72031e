"""The saving against the control group, and what its interval is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.saving import saving_of, savings
from sprout_like.reports.summary import summarise

Fill = Callable[[Iterable[object]], Engine]

_joules = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=30)


def _moments(values: Iterable[float]) -> tuple[int, float, float]:
    values = list(values)
    return len(values), math.fsum(values), math.fsum(v * v for v in values)


def _requests(group: str, energies_j: Iterable[float], *, first: int = 0, **changes: object) -> list[RequestRecord]:
    return [
        sample_request(first + n, decision_group=group, energy_j=j, operational_g=j / 1000, **changes)
        for n, j in enumerate(energies_j)
    ]


@pytest.mark.parametrize(("n_policy", "n_control", "true_ratio"), [(400, 40, 0.6), (60, 60, 1.0), (300, 100, 1.2)])
def test_the_interval_covers_the_truth_about_95_times_in_100(n_policy: int, n_control: int, true_ratio: float) -> None:
    """Energies of requests are skewed, so they are drawn log-normal; 600 experiments, seeded.

    The share has a standard error of 0.9 %; a one-sided or a 90 % interval would fall outside these bounds.
    """
    rng = Random(20260301)
    covered = 0
    for _ in range(600):
        policy = (true_ratio * rng.lognormvariate(2, 0.6) for _ in range(n_policy))
        control = (rng.lognormvariate(2, 0.6) for _ in range(n_control))
        _, low, high = saving_of(_moments(policy), _moments(control)) or (0, 0, 0)
        covered += low <= 1 - true_ratio <= high

    assert 0.92 <= covered / 600 <= 0.98


@given(_joules, _joules)
def test_the_saving_is_that_of_the_means_and_lies_in_its_interval(policy: list[float], control: list[float]) -> None:
    saving, low, high = saving_of(_moments(policy), _moments(control)) or (0, 0, 0)

    assert saving == pytest.approx(1 - (sum(policy) / len(policy)) / (sum(control) / len(control)))
    assert low <= saving <= high < 1


@given(_joules, _joules, st.sampled_from([1e-9, 1e-3, 1e6]))
def test_the_saving_does_not_depend_on_the_unit(policy: list[float], control: list[float], unit: float) -> None:
    in_joules = saving_of(_moments(policy), _moments(control))
    in_units = saving_of(_moments(unit * v for v in policy), _moments(unit * v for v in control))

    assert in_units == pytest.approx(in_joules, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("policy", "control"),
    [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([], [1.0, 2.0]), ([0.0, 0.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 0.0])],
    ids=["one request", "one control", "no request", "requests used nothing", "control used nothing"],
)
def test_there_is_none_where_nothing_can_be_said(policy: list[float], control: list[float]) -> None:
    assert saving_of(_moments(policy), _moments(control)) is None


def test_a_sum_that_is_no_number_says_nothing() -> None:
    assert saving_of((3, math.nan, math.nan), _moments([1.0, 2.0])) is None


def test_rows_that_are_all_alike_leave_no_doubt() -> None:
    assert saving_of(_moments([3.0] * 9), _moments([4.0] * 5)) == pytest.approx((0.25, 0.25, 0.25))


def test_the_ledger_gives_what_the_rows_give(filled: Fill) -> None:
    policy, control = [3.0, 4.0, 5.0], [8.0, 10.0]
    engine = filled([*_requests("policy", policy), *_requests("control", control, first=100)])

    energy, carbon = summarise(engine).savings

    expected = saving_of(_moments(policy), _moments(control))
    assert (energy.saving, energy.low, energy.high) == pytest.approx(expected)
    assert (carbon.saving, carbon.low, carbon.high) == pytest.approx(expected)
    assert (energy.quantity, energy.policy_n, energy.control_n) == ("energy", 3, 2)
    assert (carbon.quantity, carbon.intensity_kind, carbon.intensity_factors) == ("carbon", "average", "direct")


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "baseline"}, {"propensity": None}, {"status": "error"}, {"energy_j": None}],
    ids=lambda changes: next(iter(changes.items()))[0] + "=" + str(next(iter(changes.values()))),
)
def test_rows_that_were_not_drawn_or_not_answered_are_not_compared(filled: Fill, changes: dict[str, object]) -> None:
    outlier = sample_request(999, **{"decision_group": "policy", "energy_j": 1e6, "operational_g": 1e3, **changes})
    engine = filled([*_requests("policy", [3.0, 4.0]), *_requests("control", [8.0, 9.0], first=100), outlier])

    energy = summarise(engine).savings[0]

    assert (energy.policy_n, energy.saving) == (2, pytest.approx(1 - 3.5 / 8.5))


def test_without_a_control_group_there_is_no_saving(filled: Fill) -> None:
    assert summarise(filled(_requests("policy", [3.0, 4.0, 5.0]))).savings == []


def test_policies_are_compared_with_their_own_control_groups() -> None:
    known = (2, 4.0, 8.0)
    rows = [
        ("v1", "m", "c", "average", "direct", "policy", *known, *known),
        ("v2", "m", "c", "average", "direct", "control", *known, *known),
    ]

    assert savings(rows, []) == []


def test_energy_is_compared_over_all_intensities_and_carbon_within_one_kind() -> None:
    """One row of each kind is enough for energy and too few for carbon."""
    unknown = (0, None, None)
    rows = [
        ("v", "m", "c", "average", "direct", "policy", 1, 2.0, 4.0, 1, 2.0, 4.0),
        ("v", "m", "c", "marginal", "direct", "policy", 1, 4.0, 16.0, 1, 4.0, 16.0),
        ("v", "m", "c", "average", "direct", "control", 1, 8.0, 64.0, 1, 8.0, 64.0),
        ("v", "m", "c", None, None, "control", 1, 4.0, 16.0, *unknown),
        ("v", "m", "c", None, None, None, 1, 999.0, 999.0**2, *unknown),
    ]

    (energy,) = savings(rows, [])

    assert (energy.quantity, energy.intensity_kind, energy.saving) == ("energy", None, pytest.approx(0.5))
