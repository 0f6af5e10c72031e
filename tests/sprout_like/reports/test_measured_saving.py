"""The saving against the control group, and what its interval is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.report import Savings
from sprout_like.reports.saving import overall_savings, saving_of, savings
from sprout_like.reports.sections.saved import read_savings
from sprout_like.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Fill = Callable[[Iterable[object]], Engine]


def saved(engine: Engine) -> Savings:
    return read_savings(engine, Settings.load(policy="full"), since_utc=None, until_utc=None)


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

    energy, carbon = saved(engine).measured

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

    energy = saved(engine).measured[0]

    assert (energy.policy_n, energy.saving) == (2, pytest.approx(1 - 3.5 / 8.5))


def test_without_a_control_group_there_is_no_saving(filled: Fill) -> None:
    assert list(saved(filled(_requests("policy", [3.0, 4.0, 5.0]))).measured) == []


def test_hours_that_chance_gave_the_control_group_do_not_count_as_saved(filled: Fill) -> None:
    """Half of the energy is saved at 100 and at 300 g/kWh; of the control group, three of four came at the dirtier."""
    rows = [
        sample_request(
            100 * hour + n,
            started_utc=NOON + timedelta(hours=hour),
            decision_group="policy" if n < 20 else "control",
            energy_j=5.0 if n < 20 else 10.0,
            operational_g=(5.0 if n < 20 else 10.0) / 3.6e6 * g_per_kwh * 1.2,
            pue=1.2,
        )
        for hour, (g_per_kwh, control_n) in enumerate([(100, 2), (300, 6)])
        for n in range(20 + control_n)
    ]

    energy, carbon = saved(filled(rows)).measured

    assert (energy.saving, carbon.saving) == pytest.approx((0.5, 0.5))


def _line(group: str | None, *figures: float, **changes: Any) -> tuple[Any, ...]:
    """One line of the answer to `moments`: `figures` are n, sum and sum of squares of energy, then of grams."""
    energy, carbon = figures[:3], figures[3:] or (0, None, None)
    keys = {
        "version": "v",
        "model": "m",
        "catalogue": "c",
        "task": "t",
        "zone": "z",
        "kind": "average",
        "factors": "direct",
        "level": 1,
        "group": group,
        "directive": "full" if group == "control" else "brief",
        "answered": energy[0],
        "energy": energy,
        "carbon": carbon,
        "errors": 0,
        "undrawn": 0,
        **changes,
    }
    return tuple(
        figure for name, value in keys.items() for figure in (value if name in ("energy", "carbon") else (value,))
    )


def test_policies_are_compared_with_their_own_control_groups() -> None:
    known = (2, 4.0, 8.0)
    rows = [_line("policy", *known, version="v1"), _line("control", *known, version="v2")]

    assert savings(rows, []) == []
    assert overall_savings(rows, []) == []


def test_energy_is_compared_over_all_intensities_and_carbon_within_one_kind() -> None:
    """One row of each kind is enough for energy and too few for carbon."""
    unknown = {"kind": None, "factors": None, "level": None}
    rows = [
        _line("policy", 1, 2.0, 4.0, 1, 2.0, 4.0),
        _line("policy", 1, 4.0, 16.0, 1, 4.0, 16.0, kind="marginal"),
        _line("control", 1, 8.0, 64.0, 1, 8.0, 64.0),
        _line("control", 1, 4.0, 16.0, **unknown),
        _line(None, 1, 999.0, 999.0**2, answered=0, **unknown),
    ]

    (energy,) = savings(rows, [])

    assert (energy.quantity, energy.intensity_kind, energy.saving) == ("energy", None, pytest.approx(0.5))


def _alike(group: str, n: int, each_j: float, **changes: Any) -> tuple[Any, ...]:
    return _line(group, n, n * each_j, n * each_j**2, **changes)


def test_work_that_chance_gave_the_control_group_does_not_count_as_saved() -> None:
    """Half is saved of either work; the plain means would say 0.8, for the control group got mostly the dear one."""
    rows = [
        _alike("policy", 90, 1.0, task="cheap"),
        _alike("policy", 10, 100.0, task="dear"),
        _alike("control", 10, 2.0, task="cheap"),
        _alike("control", 10, 200.0, task="dear"),
    ]

    (energy,) = savings(rows, [])

    assert energy.saving == pytest.approx(0.5)
    assert 1 - (1090 / 100) / (2020 / 20) > 0.8


def test_versions_weigh_by_their_requests_whatever_share_their_control_group_was() -> None:
    """One saves half of 1,000 J, the other nothing of 1,000 J; their control groups are a half and a tenth."""
    rows = [
        _alike("policy", 50, 5.0, version="v1"),
        _alike("control", 50, 10.0, version="v1"),
        _alike("policy", 90, 10.0, version="v2"),
        _alike("control", 10, 10.0, version="v2"),
    ]

    (overall,) = overall_savings(rows, [])

    assert (overall.policy_version, overall.policy_n, overall.control_n) == (None, 140, 60)
    assert overall.saving == pytest.approx(0.25)
    assert [each.saving for each in savings(rows, [])] == pytest.approx([0.5, 0.0])


def test_a_directive_whose_energy_is_often_unknown_keeps_its_weight() -> None:
    """Half of the requests are served at 2 J of 10, half at 6; of the former only every tenth energy is known."""
    rows = [
        _alike("policy", 10, 2.0, answered=100),
        _alike("policy", 100, 6.0, directive="very_brief"),
        _alike("control", 40, 10.0),
    ]

    (energy,) = savings(rows, [])

    assert energy.saving == pytest.approx(0.6)
    assert any("unknown for 45.0 % of the policy's" in doubt for doubt in energy.doubts)


def test_few_control_rows_that_happen_to_be_alike_are_not_taken_to_be_certain() -> None:
    """Twelve at 10 J, while the policy's rows of the same work scatter as much as they cost."""
    rows = [_line("policy", 500, 500 * 5.0, 500 * 2 * 5.0**2), _alike("control", 12, 10.0)]

    (energy,) = savings(rows, [])

    assert energy.high - energy.low > 2 * 1.96 * 0.5 / math.sqrt(12) * 0.9


def test_control_rows_in_plenty_are_taken_at_their_word() -> None:
    rows = [_line("policy", 10**6, 10**6 * 5.0, 10**6 * 2 * 5.0**2), _alike("control", 10**6, 10.0)]

    (energy,) = savings(rows, [])

    assert energy.high - energy.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(10**6), rel=0.01)


def _doubts(*rows: tuple[Any, ...]) -> str:
    return " ".join(overall_savings(rows, [])[0].doubts)


def test_nothing_speaks_against_a_fair_comparison() -> None:
    assert _doubts(_alike("policy", 950, 5.0), _alike("control", 50, 10.0)) == ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([_alike("control", 12, 10.0)], "control group has 12 requests"),
        ([_alike("control", 50, 10.0), _alike("policy", 300, 5.0, version="w")], "300 of 1,300 requests came under"),
        ([_alike("control", 50, 10.0, errors=10)], "0.0 % of the policy's requests and 16.7 % of the control group's"),
        ([_alike("control", 50, 10.0, undrawn=100)], "100 of 1,100 answered requests were not drawn"),
        ([_alike("control", 5, 10.0), _alike("control", 75, 10.0, level=2)], "not spread over work and hours"),
        ([_alike("control", 60, 10.0, answered=150)], "0.0 % of the policy's requests and 60.0 % of the control"),
    ],
    ids=["few", "no control for a part", "errors", "undrawn", "uneven", "unknown"],
)
def test_what_cannot_be_believed_says_why(rows: list[tuple[Any, ...]], said: str) -> None:
    uneven = _alike("policy", 450, 5.0, level=1), _alike("policy", 500, 5.0, level=2)

    policy = uneven if "spread" in said else [_alike("policy", 950, 5.0)]

    assert said in _doubts(*policy, *rows)


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(rng: Random) -> None:
    rows = [
        _line("control" if control else "policy", 20, 20.0 * place, 450.0 * place**2, level=place, version=version)
        for place in (1, 2, 3)
        for version in ("v1", "v2")
        for control in (False, True)
    ]
    shuffled = rng.sample(rows, len(rows))

    assert overall_savings(shuffled, []) == overall_savings(rows, [])
    assert savings(shuffled, []) == savings(rows, [])
