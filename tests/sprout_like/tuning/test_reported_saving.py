"""The saving that a report models for a tuned policy bears what judging that policy's model cost per row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from directives.plan import Expected
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.sections.saved import read_savings
from sprout_like.settings import Settings
from sprout_like.tuning.propose import tune

EXPLORING = {"full": 0.3, "brief": 0.4, "very_brief": 0.3}
CALLS, GENERATIONS, EACH_J, EACH_G = 1000, 100, 20.0, 0.001
Tuned = Callable[..., Expected]
Reported = Callable[[], PolicyLine]


@pytest.fixture
def tuned(local: Any, settings: Settings, scores: Callable[..., list[tuple[float, float]]], now: datetime) -> Tuned:
    """Tunes on calls of a batch size and on generations that the judge, which took nothing, was shown."""

    def run(batch_size: int = 1, bucket: str = "1", **changes: Any) -> Expected:
        local.requests(CALLS, EXPLORING, batch_size=batch_size)
        generation = {"purpose": "evaluation", "propensity": None, "energy_j": EACH_J, "operational_g": EACH_G}
        local.requests(GENERATIONS, {"full": 1.0}, seed=9, **{**generation, **changes})
        free = {"judge_energy_j": 0.0, "judge_operational_g": 0.0}
        local.verdicts({"brief": scores(0.8), "very_brief": scores(0.5)}, bin_batch_size=bucket, **free)
        proposal = tune(local.engine, settings, local.catalogue, now_utc=now)
        assert proposal.state == "active", proposal.reason
        return proposal.plan.expected

    return run


@pytest.fixture
def reported(local: Any, settings: Settings) -> Reported:
    def run() -> PolicyLine:
        lines = read_savings(local.engine, settings, since_utc=None, until_utc=None).modelled
        return next(line for line in lines if line.number is not None)

    return run


@pytest.mark.parametrize(("batch_size", "bucket"), [(1, "1"), (8, "5-16")])
def test_judging_is_spread_over_rows_as_the_plan_counts_them(
    tuned: Tuned, reported: Reported, batch_size: int, bucket: str
) -> None:
    expected = tuned(batch_size, bucket)

    line = reported()

    rows = CALLS * batch_size
    each_j, each_g = GENERATIONS * EACH_J / rows, GENERATIONS * EACH_G / rows
    assert expected.energy_j is not None
    assert expected.full_energy_j is not None
    assert expected.carbon_g is not None
    assert expected.full_carbon_g is not None
    assert line.modelled_energy == pytest.approx(1 - (expected.energy_j + each_j) / expected.full_energy_j)
    assert line.modelled_carbon == pytest.approx(1 - (expected.carbon_g + each_g) / expected.full_carbon_g)
    assert line.judging_energy == pytest.approx(each_j / expected.full_energy_j)
    assert line.judging_carbon == pytest.approx(each_g / expected.full_carbon_g)


@pytest.mark.parametrize("other", [{"model": "another/model"}, {"catalogue_version": "another:1"}])
def test_requests_of_another_model_or_catalogue_bear_nothing(
    local: Any, tuned: Tuned, reported: Reported, other: dict[str, str]
) -> None:
    tuned()
    alone = reported()

    local.requests(3000, {"full": 1.0}, seed=3, policy="fixed", policy_version="fixed:full", **other)

    assert (reported().modelled_energy, reported().modelled_carbon) == (alone.modelled_energy, alone.modelled_carbon)


def test_generations_of_unknown_carbon_are_not_taken_for_clean(tuned: Tuned, reported: Reported) -> None:
    """They cost what their energy costs in the plan."""
    expected = tuned(operational_g=None, intensity_kind=None, intensity_factors=None, intensity_g_per_kwh=None)

    line = reported()

    assert expected.full_energy_j is not None
    assert line.judging_energy == pytest.approx(GENERATIONS * EACH_J / CALLS / expected.full_energy_j)
    assert line.judging_carbon == pytest.approx(line.judging_energy)


def test_where_nobody_bears_it_the_saving_is_unknown(
    local: Any, tuned: Tuned, settings: Settings, start: datetime
) -> None:
    tuned(started_utc=start + timedelta(days=3))

    (line,) = read_savings(local.engine, settings, since_utc=start + timedelta(days=2), until_utc=None).modelled

    assert (line.modelled_energy, line.modelled_carbon) == (None, None)


def test_a_span_that_is_over_has_the_policy_that_was_in_force_at_its_end(
    local: Any, tuned: Tuned, settings: Settings, now: datetime
) -> None:
    """What was tuned later says nothing of it, and so it stays as it was reported."""
    tuned()

    before = read_savings(local.engine, settings, since_utc=None, until_utc=now).modelled
    after = read_savings(local.engine, settings, since_utc=None, until_utc=now + timedelta(days=1)).modelled

    assert before == ()
    assert [line.number for line in after] == [1]
    assert (after[0].breaker, after[0].missing.unjudged) == (None, ())
