"""What judging cost is borne by the savings that are stated, once and in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from sprout_like.ledger.schema import EvaluationRow
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.judging import Judging, Kind, judging_of
from sprout_like.reports.report import Savings
from sprout_like.reports.saving import savings
from sprout_like.reports.sections.saved import read_savings
from sprout_like.settings import Settings

Fill = Callable[[Iterable[object]], Engine]


def saved(engine: Engine, *, until_utc: datetime | None = None) -> Savings:
    return read_savings(engine, Settings.load(policy="full"), since_utc=None, until_utc=until_utc)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def served(version: str = "v", **changes: Any) -> list[RequestRecord]:
    """Four requests at 3 J and 3 mg, two control at 6 J and 6 mg: half is saved."""
    first = 10 * len(version)
    rows = [("policy", 3.0)] * 4 + [("control", 6.0)] * 2
    return [
        sample_request(
            first + place,
            policy_version=version,
            decision_group=group,
            energy_j=joules,
            operational_g=joules / 1000,
            **changes,
        )
        for place, (group, joules) in enumerate(rows)
    ]


def generated(number: int, joules: float | None, **changes: Any) -> RequestRecord:
    grams = None if joules is None else joules / 1000
    row = {"purpose": "evaluation", "energy_j": joules, "operational_g": grams, **changes}
    return sample_request(500 + number, **row)


def evaluated(engine: Engine, **changes: Any) -> None:
    row: dict[str, Any] = {
        "evaluation_id": "e",
        "started_utc": NOON,
        "ended_utc": NOON + timedelta(minutes=5),
        "reason": "asked",
        "ended": "tight",
        "model": sample_request().model,
        "catalogue_version": sample_request().catalogue_version,
        "judge": "numeric",
        **dict.fromkeys(("prompts_n", "verdicts_n", "dropped_n", "ties_n", "first_n", "second_n"), 0),
        "dropped": {},
        "judge_energy_method": "none",
        "judge_s": 1.0,
        **changes,
    }
    with Session(engine) as session, session.begin():
        session.add(EvaluationRow(**row))


def test_generations_and_a_judge_without_rows_lower_the_saving(filled: Fill) -> None:
    engine = filled([*served(), generated(1, 1.5), generated(2, 0.5)])
    evaluated(engine, judge_energy_j=1.0, judge_operational_g=0.001)

    energy, carbon = saved(engine).measured

    # 3 J over six requests, of 6 J each without the policy.
    assert (energy.saving, energy.judging) == pytest.approx((0.5 - 0.5 / 6, 0.5 / 6))
    assert (carbon.saving, carbon.judging) == pytest.approx((0.5 - 0.5 / 6, 0.5 / 6))
    assert energy.low < energy.saving + 1e-9
    assert energy.high > energy.saving - 1e-9


def test_a_judge_of_answers_that_were_there_already_is_charged_too(filled: Fill) -> None:
    """Nothing was generated for it, so no row says of what kind its grams are: they lower all."""
    engine = filled(served())
    evaluated(engine, judge_energy_j=3.0, judge_operational_g=0.003)

    assert [saving.judging for saving in saved(engine).measured] == pytest.approx([0.5 / 6, 0.5 / 6])


def test_what_the_evaluation_repeats_of_its_rows_is_counted_once(filled: Fill) -> None:
    engine = filled([*served(), generated(1, 3.0)])
    evaluated(engine, energy_j=3.0, operational_g=0.003, judge_energy_j=0.0, judge_operational_g=0.0)

    (judging,) = saved(engine).judging
    assert judging.energy_j == 3.0
    assert saved(engine).measured[0].judging == pytest.approx(0.5 / 6)


def test_what_is_unknown_is_counted_and_charged_to_nothing(filled: Fill) -> None:
    engine = filled([*served(), generated(1, None)])
    evaluated(engine, judge_energy_j=None)

    summary = saved(engine)

    (judging,) = summary.judging
    assert judging.unknown == 2
    assert summary.measured[0].saving == pytest.approx(0.5)


def test_judging_outside_the_span_is_not_charged(filled: Fill) -> None:
    late = NOON + timedelta(days=1)
    engine = filled([*served(), generated(1, 3.0, started_utc=late)])
    evaluated(engine, started_utc=late, judge_energy_j=1.0)

    summary = saved(engine, until_utc=late)

    assert list(summary.judging) == []
    assert summary.measured[0].saving == pytest.approx(0.5)


def test_policies_share_the_burden_by_their_requests(filled: Fill) -> None:
    engine = filled([*served("v"), *served("vv"), generated(1, 3.0)])

    energies = [saving for saving in saved(engine).measured if saving.quantity == "energy"]

    assert [saving.judging for saving in energies] == pytest.approx([0.5 / 12, 0.5 / 12])


def test_all_answered_requests_of_the_model_bear_it_and_no_others(filled: Fill) -> None:
    bearing = [sample_request(place, policy_version="fixed:full", propensity=None) for place in range(100, 106)]
    others: list[dict[str, Any]] = [
        {"status": "error"},
        {"purpose": "baseline"},
        {"model": "another"},
        {"catalogue_version": "another"},
    ]
    strangers = [sample_request(200 + place, propensity=None, **change) for place, change in enumerate(others)]
    engine = filled([*served(), *bearing, *strangers, generated(1, 3.0)])

    summary = saved(engine)

    (judging,) = summary.judging
    assert judging.calls == 12
    assert [saving.judging for saving in summary.measured] == pytest.approx([0.25 / 6, 0.25 / 6])


def test_a_saving_does_not_bear_the_judging_of_another_model(filled: Fill) -> None:
    engine = filled([*served(), *served("other", model="another"), generated(1, 3.0, model="another")])

    by_version = {s.policy_version: s.judging for s in saved(engine).measured if s.quantity == "energy"}

    assert by_version == {"v": 0.0, "other": pytest.approx(0.5 / 6)}


def test_a_version_that_two_models_share_bears_of_either_what_its_requests_bear(filled: Fill) -> None:
    ours, theirs = served(), [replace(row, request_id="b" + row.request_id[1:], model="another") for row in served()]
    engine = filled([*ours, *theirs, generated(1, 3.0, model="another")])

    assert saved(engine).measured[0].judging == pytest.approx(0.25 / 6)


@pytest.mark.parametrize(
    "changes",
    [
        {"operational_g": None, "intensity_kind": None, "intensity_factors": None},
        {"intensity_factors": "lifecycle"},
        {"intensity_kind": "marginal"},
    ],
    ids=["unknown", "other factors", "other kind"],
)
def test_generations_without_grams_of_the_savings_kind_cost_what_their_energy_costs_there(
    filled: Fill, changes: dict[str, Any]
) -> None:
    """1 mg per J: what the requests that are compared emit, whatever the generations' own grams are."""
    engine = filled([*served(), generated(1, 3.0, **{"operational_g": 9.0, **changes})])

    energy, carbon = saved(engine).measured

    assert (energy.judging, carbon.judging) == pytest.approx((0.5 / 6, 0.5 / 6))


def test_a_judge_that_says_no_grams_costs_what_its_energy_costs(filled: Fill) -> None:
    engine = filled([*served(), generated(1, 1.5)])
    evaluated(engine, judge_energy_j=1.5, judge_operational_g=None)

    summary = saved(engine)

    (judging,) = summary.judging
    assert judging.unpriced_j == 1.5
    assert summary.measured[1].judging == pytest.approx(0.5 / 6)


def test_grams_of_its_own_kind_are_charged_as_they_are() -> None:
    """8 J in all: of the one kind 3 g for 4 J, and the other 4 J at the 1 g per J of the requests."""
    rows = [
        ("v", "m", "c", "t", "z", kind, "direct", 1, group, "full", n, *(n, n * j, n * j * j) * 2, 0, 0)
        for kind in ("average", "marginal")
        for group, n, j in (("policy", 4, 3.0), ("control", 2, 6.0))
    ]
    kinds = (Kind("marginal", "direct", 4.0, 3.0), Kind("marginal", "lifecycle", 4.0, 99.0))
    judging = Judging(model="m", catalogue_version="c", energy_j=8.0, kinds=kinds, calls=12)

    found = {saving.intensity_kind: 6 * saving.judging for saving in savings(rows, [judging])}

    assert found == {None: pytest.approx(8 / 12), "average": pytest.approx(8 / 12), "marginal": pytest.approx(7 / 12)}


def test_kinds_stand_in_one_order_whatever_order_the_database_answers_in() -> None:
    answers = [("m", "c", kind, "direct", 1.0, 2.0, None, 0) for kind in ("marginal", "average")]

    (found,), (again,) = (judging_of(order, [], []) for order in (answers, answers[::-1]))

    assert found == again
