"""Provisional intensities get the published actual beside them, on every database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grid import BadData, FallbackSource, NoData, SourceDown, SourceRefused
from sprout_like.carbon import operational_g
from sprout_like.ledger.check import check
from sprout_like.ledger.settlements import DryRun, Settlements
from sprout_like.settlement.figures import Scope, Settled
from sprout_like.settlement.report import SettlementReport
from sprout_like.settlement.settle import settle

UNKNOWN = dict.fromkeys(
    ("intensity_g_per_kwh", "intensity_kind", "intensity_factors", "intensity_status", "intensity_source")
)
LOGGED = ("intensity_g_per_kwh", "intensity_status", "intensity_source", "intensity_stale", "operational_g")


def run(ledger: Any, source: Any, **options: Any) -> SettlementReport:
    return settle(ledger.store, source, now_utc=ledger.clock, **options)


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


def test_the_ledgers_own_actuals_need_no_source(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source()
    ledger.write([new_request(0), new_reading(150, 0)])

    report = run(ledger, source)

    assert (ledger.settled(), report.questions, source.asked) == ([(150, "actual")], 0, [])


def test_a_row_is_settled_by_one_source_its_own_first(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write(
        [
            new_request(0, intensity_source="theirs"),
            new_request(1, intensity_source="theirs"),
            new_request(2, intensity_source="theirs", duration_s=2400.0),
            new_reading(111, 0, source="theirs"),
            new_reading(111, 2, source="theirs"),
            *(new_reading(222, slot, source="a") for slot in range(4)),
        ]
    )

    run(ledger, new_source())

    assert [row.settled_source for row in ledger.rows()] == ["theirs", "a", "a"]


def test_of_a_chain_the_first_member_settles_what_none_of_them_logged(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    """Not the first by name."""
    first, second = new_source(), new_source()
    first.name, second.name = "zzz", "aaa"
    inner = FallbackSource([first])
    ledger.write([new_request(0, **UNKNOWN), new_reading(150, source="aaa"), new_reading(120, source="zzz")])

    run(ledger, FallbackSource([inner, second]))

    assert ledger.settled() == [(120, "actual")]
    assert ledger.rows()[0].settled_source == "zzz"


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


@pytest.mark.parametrize("differs", [{}, {"kind": "marginal"}, {"factors": "lifecycle"}])
def test_another_source_later_changes_neither_the_figure_nor_its_kind(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, differs: dict[str, str]
) -> None:
    ledger.write([new_request(0, intensity_source="theirs"), new_request(1, **UNKNOWN)])
    run(ledger, new_source(new_reading(100, 0), new_reading(100, 1)))
    once, other = ledger.rows(), new_source()
    for name, value in {"name": "a", **differs}.items():
        setattr(other, name, value)
    ledger.write([new_reading(900, slot, source="a", **differs) for slot in range(2)])

    assert run(ledger, other).changed == 0
    assert ledger.rows() == once


def test_zones_are_settled_apart_and_one_that_is_not_covered_is_named(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0), new_request(1, zone="FR"), new_request(2, zone="FR")])

    report = run(ledger, new_source(new_reading(150, 0)))

    assert [(group.zone, group.settled) for group in report.groups] == [("FR", 0), ("GB", 1)]
    (still_open,) = report.still_open
    assert (still_open.zone, still_open.requests, still_open.reason) == ("FR", 2, "published does not cover FR")


def test_the_scope_is_a_zone_and_a_beginning(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    source = new_source(*(new_reading(150, slot) for slot in range(2)), zones=("GB", "FR"))
    ledger.write([new_request(0), new_request(1), new_request(2, zone="FR")])

    run(ledger, source, scope=Scope(zone="GB", since_utc=new_reading(1, 1).start_utc))

    assert ledger.settled() == [(None, None), (150, "actual"), (None, None)]


def test_a_second_run_changes_nothing_and_asks_nothing(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(*(new_reading(150 + slot, slot) for slot in range(8)))
    ledger.write([new_request(slot) for slot in range(8)])
    run(ledger, source)
    once, questions = ledger.rows(), len(source.asked)
    ledger.clock.advance(3600)

    report = run(ledger, source)

    assert (ledger.rows(), len(source.asked)) == (once, questions)
    assert (report.changed, report.groups[0].unchanged, report.groups[0].moved_g) == (0, 8, 0.0)
    assert report.groups[0].after_g == report.groups[0].before_g


def test_a_corrected_actual_is_found_by_a_refresh(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0), new_reading(150, 1))
    ledger.write([new_request(0), new_request(1)])
    run(ledger, source)
    source.readings[0] = new_reading(180, 0)

    assert run(ledger, source).changed == 0
    report = run(ledger, source, refresh=True)

    assert (report.groups[0].corrected, report.groups[0].unchanged) == (1, 1)
    assert ledger.settled() == [(180, "actual"), (150, "actual")]


def test_a_dry_run_says_the_same_and_writes_nothing(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0), new_reading(90, 1))
    ledger.write([new_request(0), new_request(1), new_request(2), new_reading(99, 1)])
    before = ledger.rows()

    dry = settle(DryRun(ledger.engine, page=2), source, dry_run=True, refresh=True, now_utc=ledger.clock)

    assert (ledger.rows(), dry.dry_run) == (before, True)
    real = run(ledger, source, refresh=True)
    assert (real.groups, real.still_open) == (dry.groups, dry.still_open)
    assert ledger.settled()[:2] == [(150, "actual"), (90, "actual")]


@pytest.mark.parametrize("failure", [SourceDown("it is down"), SourceRefused("the key is refused")])
def test_a_source_that_fails_is_asked_once_and_what_the_ledger_knows_is_settled(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, failure: Exception
) -> None:
    source = new_source()
    source.failure = failure
    ledger.write([new_request(0), new_reading(150, 0), new_request(200), new_request(400)])
    ledger.clock.advance(30 * 86400)

    report = run(ledger, source)

    assert (len(source.asked), report.problem, report.changed) == (1, str(failure), 1)
    assert [(part.reason, part.requests) for part in report.still_open] == [(str(failure), 2)]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(NoData("nothing"), "no actual is published for its whole span, or not yet"), (BadData("it is NaN"), "it is NaN")],
)
def test_one_bad_answer_does_not_end_the_questions(
    ledger: Any, new_request: Any, new_source: Any, failure: Exception, reason: str
) -> None:
    source = new_source()
    source.failure = failure
    ledger.write([new_request(0), new_request(200)])
    ledger.clock.advance(30 * 86400)

    report = run(ledger, source)

    assert (len(source.asked), report.problem) == (2, None)
    assert [(part.reason, part.requests) for part in report.still_open] == [(reason, 2)]


def test_a_settled_ledger_adds_up(ledger: Any, new_request: Any, new_reading: Any, new_source: Any) -> None:
    ledger.write([new_request(slot) for slot in range(4)])
    run(ledger, new_source(*(new_reading(150 + slot, slot) for slot in range(3))))

    assert check(ledger.engine).findings == ()


class DyingSettlements(Settlements):
    """Dies before the page of that number is written."""

    def __init__(self, ledger: Any, at_page: int) -> None:
        super().__init__(ledger.engine, page=2)
        self._left = at_page

    def apply(self, settled: Sequence[Settled]) -> None:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        super().apply(settled)


requests = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.floats(0, 5000),
        st.sampled_from(["forecast", "actual", "static", "estimated", None]),
        st.sampled_from(["GB", "FR"]),
    ),
    max_size=8,
)
readings = st.dictionaries(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["published", "a", "b"]),
        st.sampled_from(["actual", "estimated", "forecast"]),
    ),
    st.floats(0, 1000),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests, readings, readings, st.booleans(), st.integers(0, 3))
def test_however_it_is_cut_short_the_end_is_the_same(
    memory_ledger: Callable[[], Any],
    new_request: Any,
    new_reading: Any,
    new_source: Any,
    served: list[tuple[int, float, str | None, str]],
    held: dict[tuple[int, str, str], float],
    at_source: dict[tuple[int, str, str], float],
    accept_estimated: bool,
    dies_at: int,
) -> None:
    """Settled at once, settled twice, and settled after a death in the middle: the same rows."""
    rows = [
        new_request(number, started_utc=new_reading(1, slot).start_utc, duration_s=duration_s, zone=zone,
                    intensity_status=status, intensity_g_per_kwh=None if status is None else 100.0,
                    intensity_stale=False)
        for number, (slot, duration_s, status, zone) in enumerate(served)
    ]  # fmt: skip
    told = {slot: new_reading(g, slot, status=status) for (slot, _, status), g in at_source.items()}
    source = new_source(*told.values())
    straight, broken = memory_ledger(), memory_ledger()
    for ledger in (straight, broken):
        ledger.write(rows)
        ledger.write(new_reading(g, slot, source=name, status=status) for (slot, name, status), g in held.items())
    options = {"accept_estimated": accept_estimated, "now_utc": straight.clock}

    first = settle(straight.store, source, **options)
    once = straight.rows()
    second = settle(straight.store, source, **options)
    try:
        settle(DyingSettlements(broken, dies_at), source, **options)
    except KeyboardInterrupt:
        settle(broken.store, source, **options)

    assert (second.changed, straight.rows()) == (0, once)
    assert broken.rows() == once
    assert [group.after_g for group in second.groups] == pytest.approx([group.after_g for group in first.groups])
    assert all("settled" not in finding.problem for finding in check(straight.engine).findings)
