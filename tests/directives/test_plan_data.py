"""What is stored as JSON comes back as it was."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directives.constraints import Constraints
from directives.errors import PolicyError
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Expected, Plan
from directives.plan_data import (
    constraints_from_data,
    constraints_to_data,
    evidence_from_data,
    evidence_to_data,
    plan_from_data,
    plan_to_data,
)
from directives.workload import Bin

texts = st.text(max_size=6)
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(0.001, 1e6)
bins = st.builds(Bin, task=texts, prompt_tokens=texts, limit_tokens=texts, batch_size=texts)
shares = st.dictionaries(texts, st.floats(0, 1), max_size=3)
maybe = st.none() | finite
estimates = st.none() | st.builds(Estimate, finite, maybe, st.integers(0, 10**9))
qualities = st.none() | st.builds(
    Quality,
    n=st.integers(1, 10**9),
    **{field.name: finite for field in fields(Quality) if field.name != "n"},
)
cells = st.builds(
    Known, directive=texts, bin=bins, lossless=st.booleans(), energy_j=estimates, time_s=estimates, quality=qualities
)
evidences = st.builds(
    Evidence,
    cells=st.lists(cells, max_size=4).map(tuple),
    mix=st.dictionaries(bins, finite, max_size=3),
    intensities_g_per_kwh=st.lists(finite, max_size=4).map(tuple),
    requests_per_day=maybe,
)
plans = st.builds(
    Plan,
    edges_g_per_kwh=st.lists(finite, max_size=3).map(tuple),
    levels=st.lists(st.dictionaries(bins, shares, max_size=3), max_size=3).map(tuple),
    explored=st.dictionaries(bins, st.lists(texts, max_size=3).map(tuple), max_size=3),
    explore_share=st.floats(0, 1),
    control_share=st.floats(0, 1),
    pinned=st.dictionaries(texts, texts, max_size=2),
    expected=st.builds(Expected, **{field.name: maybe for field in fields(Expected)}),
    binding=st.lists(texts, max_size=2).map(tuple),
    version=texts,
)
constraints = st.builds(
    Constraints,
    floor=st.floats(0, 1),
    mean_floor=st.none() | st.floats(0, 1),
    confidence=st.floats(0.5, 0.999),
    carbon_budget_g_per_day=st.none() | positive,
    latency_limit_s=st.dictionaries(texts, positive, max_size=2),
    pinned=st.dictionaries(texts, st.just("a"), max_size=2),
    forbidden=st.dictionaries(texts, st.frozensets(st.sampled_from("bcd")), max_size=2),
    explore_share=st.floats(0, 0.4),
    control_share=st.floats(0, 0.4),
)


@given(evidence=evidences)
@settings(deadline=None)
def test_evidence(evidence: Evidence) -> None:
    assert evidence_from_data(json.loads(json.dumps(evidence_to_data(evidence)))) == evidence


@given(plan=plans)
@settings(deadline=None)
def test_plan(plan: Plan) -> None:
    assert plan_from_data(json.loads(json.dumps(plan_to_data(plan)))) == plan


@given(asked=constraints)
@settings(deadline=None)
def test_constraints(asked: Constraints) -> None:
    assert constraints_from_data(json.loads(json.dumps(constraints_to_data(asked)))) == asked


def test_a_price_comes_back() -> None:
    asked = Constraints(floor=None, price_per_kg=0.1, answer_value=2.0)
    assert constraints_from_data(json.loads(json.dumps(constraints_to_data(asked)))) == asked


@pytest.mark.parametrize("read", [plan_from_data, evidence_from_data, constraints_from_data])
@pytest.mark.parametrize("data", [{}, {"levels": 3}, {"forbidden": {}, "no_such": 1}, []])
def test_what_is_none_is_refused_with_what_to_do(read: object, data: object) -> None:
    if read is constraints_from_data and data == {}:
        data = {"floor": 0.9}
    with pytest.raises(PolicyError, match="tune again"):
        read(data)  # type: ignore[operator]
