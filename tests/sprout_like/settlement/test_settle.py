"""Provisional intensities get the published actual beside them, on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sprout_like.carbon import operational_g
from sprout_like.ledger.check import check
from sprout_like.settlement.figures import Scope
from tests.sprout_like.settlement.settling import UNKNOWN, run

LOGGED = ("intensity_g_per_kwh", "intensity_status", "intensity_source", "intensity_stale", "operational_g")


def test_a_forecast_is_settled_by_the_actual_and_kept(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0)])
    before = ledger.rows()[0]

    report = run(ledger, new_source(new_reading(150, 0)))

    (row,) = ledger.rows()
    assert [getattr(row, name) for name in LOGGED] == [getattr(before, name) for name in LOGGED]
    assert (row.settled_g_per_kwh, row.settled_kind, row.settled_factors) == (150, "average", "direct")
    assert (row.settled_status, row.settled_source, row.settled_utc) == ("actual", "published", ledger.clock())
    assert row.settled_operational_g == operational_g(row.energy_j, 150, row.pue)
    (group,) = report.groups
    assert (group.settled, group.corrected, group.unchanged, report.still_open) == (1, 0, 0, ())
    assert group.before_g == pytest.approx(row.operational_g)
    assert group.after_g == pytest.approx(row.settled_operational_g)
    assert group.moved_share == pytest.approx(0.5)


def test_the_mean_is_weighted_by_time(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    """Ten of its forty minutes lie in the first half hour, thirty in the second."""
    start = new_reading(1, 0).end_utc - timedelta(minutes=10)
    ledger.write([new_request(0, started_utc=start, duration_s=2400.0)])

    run(ledger, new_source(new_reading(100, 0), new_reading(200, 1)))

    assert ledger.settled() == [(175, "actual")]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_gap_anywhere_in_its_span_leaves_it_provisional(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, missing: int
) -> None:
    ledger.write([new_request(0, duration_s=3600.0)])

    report = run(ledger, new_source(*(new_reading(100, slot) for slot in range(3) if slot != missing)))

    assert ledger.settled() == [(None, None)]
    assert [part.reason for part in report.still_open] == ["no actual is published for its whole span, or not yet"]


@pytest.mark.parametrize("status", ["estimated", "forecast", "static"])
def test_only_an_actual_settles(ledger: Any, new_request: Any, new_reading: Any, new_source: Any, status: str) -> None:
    ledger.write([new_request(0)])

    assert run(ledger, new_source(new_reading(150, 0, status=status))).changed == 0
    assert ledger.settled() == [(None, None)]


def test_an_accepted_estimate_gives_way_to_the_actual(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0)])
    source = new_source(new_reading(150, 0, status="estimated"))

    assert run(ledger, source, accept_estimated=True).groups[0].settled == 1
    assert ledger.settled() == [(150, "estimated")]
    assert run(ledger, source).changed == 0

    source.readings = [new_reading(160, 0)]
    assert run(ledger, source).groups[0].corrected == 1
    assert ledger.settled() == [(160, "actual")]


@pytest.mark.parametrize(
    "provisional",
    [
        {"intensity_status": "forecast"},
        {"intensity_status": "estimated"},
        {"intensity_status": "static"},
        {"intensity_status": "actual", "intensity_stale": True},
    ],
)
def test_what_is_provisional(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, provisional: dict[str, Any]
) -> None:
    ledger.write([new_request(0, **provisional)])

    assert run(ledger, new_source(new_reading(150, 0))).changed == 1


def test_an_actual_and_an_unknown_energy_are_left_alone(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0), new_reading(150, 1))
    ledger.write([new_request(0, intensity_status="actual", intensity_stale=False), new_request(1, energy_j=None)])

    assert run(ledger, source).groups == ()
    assert (ledger.settled(), source.asked) == ([(None, None)] * 2, [])


def test_an_unknown_intensity_takes_the_kind_and_factors_of_the_source(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0), new_request(1, **UNKNOWN)])

    (group,) = run(ledger, new_source(new_reading(100, 0), new_reading(150, 1))).groups

    row = ledger.rows()[1]
    assert (row.settled_g_per_kwh, row.settled_kind, row.settled_factors) == (150, "average", "direct")
    assert (group.newly_known, group.newly_known_g) == (1, row.settled_operational_g)
    assert group.moved_g == pytest.approx(row.settled_operational_g)


def test_kinds_and_factors_are_never_exchanged(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0))
    ledger.write([new_request(0, intensity_factors="lifecycle"), new_request(1, intensity_kind="marginal")])

    report = run(ledger, source)

    assert (report.changed, source.asked) == (0, [])
    reason = "published gives average intensities with direct factors, which is not the same"
    assert [part.reason for part in report.still_open] == [reason] * 2


def test_what_was_unknown_before_is_no_movement(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0), new_request(1, **UNKNOWN)])

    (group,) = run(ledger, new_source(new_reading(150, 0), new_reading(150, 1))).groups

    assert group.newly_known == 1
    assert group.moved_share == pytest.approx(0.5)


@pytest.mark.parametrize(("zone", "nothing_known"), [("GB", False), ("FR", True)])
def test_all_final_is_told_from_none_in_the_scope(
    ledger: Any, new_request: Any, new_source: Any, zone: str, nothing_known: bool
) -> None:
    ledger.write([new_request(0, intensity_status="actual")])

    report = run(ledger, new_source(), scope=Scope(zone=zone))

    assert (report.groups, report.nothing_known) == ((), nothing_known)


def test_the_scope_is_a_zone_and_a_beginning(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    source = new_source(*(new_reading(150, slot) for slot in range(2)), zones=("GB", "FR"))
    ledger.write([new_request(0), new_request(1), new_request(2, zone="FR")])

    run(ledger, source, scope=Scope(zone="GB", since_utc=new_reading(1, 1).start_utc))

    assert ledger.settled() == [(None, None), (150, "actual"), (None, None)]


def test_a_settled_ledger_adds_up(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    ledger.write([new_request(slot) for slot in range(4)])
    run(ledger, new_source(*(new_reading(150 + slot, slot) for slot in range(3))))

    assert check(ledger.engine).findings == ()
