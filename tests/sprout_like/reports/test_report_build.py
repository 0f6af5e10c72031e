"""A report of a ledger: its lines and sums, on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sprout_like.errors import ReportError
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.build import Asked, build, steady
from sprout_like.reports.formats.written import as_json
from sprout_like.reports.interval import Figure
from sprout_like.reports.report import Report
from sprout_like.settings import Settings

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

TWO_GROUPS: dict[str, tuple[Any, Any]] = {
    "directive": ("full", "brief"),
    "model": ("a", "b"),
    "zone": ("GB", "DE"),
    "task": ("code", None),
    "policy": ("threshold", "fixed"),
    "energy_method": ("measured", "apportioned"),
    "meter": ("nvml", "cpu"),
    "status": ("ok", "error"),
    "call": ("chat", "generate"),
    "decision_group": ("policy", "control"),
}


def report_of(engine: Engine, *by: str, share_idle: bool = False, **span: Any) -> Report:
    asked = Asked(by=by or ("directive",), share_idle=share_idle, **span)
    return build(engine, Settings.load(policy="full"), asked)


@pytest.mark.parametrize("by", TWO_GROUPS)
def test_a_line_for_each_value(filled: Fill, by: str) -> None:
    one, other = TWO_GROUPS[by]
    engine = filled(
        [
            sample_request(1, **{by: one}, energy_j=5.0),
            sample_request(2, **{by: one}, energy_j=7.0),
            sample_request(3, **{by: other}, energy_j=1.0),
        ]
    )

    lines = report_of(engine, by).lines

    assert [(line.group, line.usage.requests, line.usage.energy_j.value) for line in lines] == [
        ((one,), 2, 12.0),
        ((other,), 1, 1.0),
    ]


def test_several_dimensions_at_once_days_first_and_tags_as_they_are(filled: Fill) -> None:
    late = NOON + timedelta(days=1)
    engine = filled(
        [
            sample_request(1, tags={"team": "search", "own": "1"}, energy_j=1.0),
            sample_request(2, tags={"own": "2", "team": "search"}, energy_j=2.0),
            sample_request(3, tags={"team": "=ads"}, energy_j=9.0),
            sample_request(4, tags={}, energy_j=4.0),
            sample_request(5, tags={"team": "search"}, energy_j=8.0, started_utc=late),
        ]
    )

    lines = report_of(engine, "tag:team", "day").lines

    assert [(line.group, line.usage.energy_j.value) for line in lines] == [
        (("=ads", "2026-03-01"), 9.0),
        ((None, "2026-03-01"), 4.0),
        (("search", "2026-03-01"), 3.0),
        (("search", "2026-03-02"), 8.0),
    ]


@pytest.mark.parametrize("name", ['te"am', "te'am", "$.team", "te\\am", "tä m", "a.b[0]"])
def test_a_tag_of_any_name_can_be_grouped_by(filled: Fill, name: str) -> None:
    engine = filled([sample_request(1, tags={name: "x", "team": "y"})])

    assert [line.group for line in report_of(engine, f"tag:{name}").lines] == [("x",)]


def test_a_tag_that_nobody_has_is_said_with_those_there_are(filled: Fill) -> None:
    engine = filled([sample_request(1, tags={"team": "search", "app": "x"})])

    report = report_of(engine, "tag:tema")

    assert [line.group for line in report.lines] == [(None,)]
    assert report.method.notes[-1] == "No request of this span has the tag tema; the tags there are: app, team."


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("hour", ["2026-02-28T18Z", "2026-02-28T23Z", "2026-03-01T00Z"]),
        ("day", ["2026-02-28", "2026-02-28", "2026-03-01"]),
        ("week", ["2026-W09", "2026-W09", "2026-W09"]),
        ("month", ["2026-02", "2026-02", "2026-03"]),
    ],
)
def test_time_is_utc_and_in_order(filled: Fill, by: str, values: list[str]) -> None:
    """The PostgreSQL server of the tests lives in India, where these three are one day, and two of another month."""
    engine = filled(
        [
            sample_request(1, started_utc=datetime(2026, 2, 28, 18, 40, tzinfo=UTC), energy_j=1.0),
            sample_request(2, started_utc=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), energy_j=1.0),
            sample_request(3, started_utc=datetime(2026, 3, 1, tzinfo=UTC), energy_j=9.0),
        ]
    )

    lines = report_of(engine, by).lines

    assert [line.group for line in lines for _ in range(line.usage.requests)] == [(value,) for value in values]


def test_a_span_holds_its_first_moment_and_not_its_last(filled: Fill) -> None:
    rows = [sample_request(second) for second in range(3)]
    accounts = [sample_account(account_id=f"{n}", started_utc=NOON + timedelta(seconds=n)) for n in range(3)]
    engine = filled([*rows, *accounts])
    since, until = NOON, NOON + timedelta(seconds=2)

    report = report_of(engine, since_utc=since, until_utc=until)

    assert sum(line.usage.requests for line in report.lines) == 2
    assert (report.span.first_utc, report.span.last_utc) == (NOON, NOON + timedelta(seconds=1))
    assert (report.site.overhead_j, report.site.idle_j) == (20.0, 140.0)
    assert (report.span.since_utc, report.span.until_utc) == (since, until)


def test_a_span_may_be_open_at_either_end_and_must_not_be_turned_round(filled: Fill) -> None:
    engine = filled([sample_request(second) for second in range(3)])
    middle = NOON + timedelta(seconds=1)

    def requests(**span: Any) -> int:
        return sum(line.usage.requests for line in report_of(engine, **span).lines)

    assert (requests(), requests(since_utc=middle), requests(until_utc=middle)) == (3, 2, 1)
    with pytest.raises(ReportError, match="--until: the span ends before it begins"):
        Asked(since_utc=middle, until_utc=middle)


def test_unknown_energy_and_carbon_are_counted_and_in_no_sum(filled: Fill) -> None:
    unmetered = {"energy_j": None, "energy_method": "none", "energy_uncertainty_j": None, "operational_g": None}
    engine = filled(
        [
            sample_request(1, energy_j=2.0, energy_uncertainty_j=0.5, operational_g=0.25),
            sample_request(2, **unmetered),
            sample_request(3, energy_j=3.0, energy_uncertainty_j=0.25, operational_g=0.5),
        ]
    )

    report = report_of(engine)

    (line,) = report.lines
    assert (line.usage.energy_j.value, line.usage.energy_unknown) == (5.0, 1)
    assert (line.emission.operational_g.value, line.emission.carbon_unknown) == (0.75, 1)
    assert line.usage.energy_j.half_width is not None
    assert [(gap.requests, gap.of) for gap in report.method.gaps if "no sum" in gap.what] == [(1, 3), (1, 3)]


def test_what_no_row_knows_is_unknown_and_not_zero(filled: Fill) -> None:
    nothing = {"energy_j": None, "energy_uncertainty_j": None, "operational_g": None, "embodied_g": None}
    engine = filled([sample_request(1, energy_method="none", new_tokens=None, **nothing)])

    report = report_of(engine)

    (line,) = report.lines
    used = line.usage
    assert {used.energy_j, line.emission.operational_g, used.embodied_g} == {Figure(None)}
    assert (used.new_tokens, report.site.overhead_j, report.site.idle_j) == (None, None, None)
    assert (report.scope2, report.costs, report.sci, report.equivalences) == (None, (), (), ())


def test_grams_of_different_kinds_and_factors_are_never_added_up(filled: Fill) -> None:
    provenances = [("average", "direct"), ("average", "lifecycle"), ("marginal", "direct"), (None, None)]
    engine = filled(
        [
            sample_request(
                number, intensity_kind=kind, intensity_factors=factors, operational_g=None if kind is None else 1.0
            )
            for number, (kind, factors) in enumerate(provenances * 2)
        ]
    )

    report = report_of(engine)

    for emissions in ([line.emission for line in report.lines], report.headlines[0].emissions):
        assert {(of.intensity_kind, of.intensity_factors) for of in emissions} == set(provenances)
        assert [of.operational_g.value for of in emissions if of.intensity_kind] == [2.0] * 3
    assert report.headlines[0].usage.requests == 8


def test_purposes_stand_apart_those_that_answer_somebody_first(filled: Fill) -> None:
    engine = filled(
        [
            sample_request(1, purpose="evaluation", energy_j=900.0),
            sample_request(2, purpose="baseline", energy_j=500.0),
            sample_request(3, energy_j=1.0),
            sample_request(4, purpose="job", call="job", energy_j=2.0),
        ]
    )

    report = report_of(engine)

    order = [("request", 1.0), ("job", 2.0), ("baseline", 500.0), ("evaluation", 900.0)]
    assert [(line.purpose, line.usage.energy_j.value) for line in report.lines] == order
    assert [(of.purpose, of.usage.energy_j.value) for of in report.headlines] == order
    assert sum(point.energy_j or 0 for point in report.points) == 3.0


def test_errors_and_stale_readings_are_counted_and_their_energy_too(filled: Fill) -> None:
    engine = filled(
        [
            sample_request(1, energy_j=4.0),
            sample_request(2, energy_j=2.0, status="error", error_type="RuntimeError"),
            sample_request(3, energy_j=1.0, intensity_stale=True),
            sample_request(4, energy_j=1.0, intensity_stale=None),
        ]
    )

    (line,) = report_of(engine).lines

    assert (line.usage.requests, line.usage.errors, line.emission.stale) == (4, 1, 1)
    assert line.usage.energy_j.value == 8.0


_SETTLED = {
    "settled_g_per_kwh": 150.0,
    "settled_kind": "average",
    "settled_factors": "direct",
    "settled_status": "actual",
    "settled_source": "uk_national",
    "settled_utc": NOON,
    "settled_operational_g": 3.0,
}


def test_the_settled_figure_takes_the_place_of_the_one_that_was_logged(filled: Fill) -> None:
    unknown = {"intensity_kind": None, "intensity_factors": None, "intensity_status": None, "operational_g": None}
    engine = filled(
        [
            sample_request(1, operational_g=1.0),
            sample_request(2, operational_g=1.0, intensity_status="forecast"),
            sample_request(3, operational_g=1.0, intensity_stale=True),
            sample_request(4, operational_g=1.0, intensity_status="forecast", **_SETTLED),
            sample_request(5, operational_g=1.0, intensity_stale=True, **_SETTLED),
            sample_request(6, operational_g=1.0, **_SETTLED | {"settled_status": "estimated"}),
            sample_request(7, **unknown, **_SETTLED),
            sample_request(8, **unknown),
        ]
    )

    known, never_known = (line.emission for line in report_of(engine).lines)

    assert (known.requests, known.operational_g.value, known.carbon_unknown) == (7, 3 * 1.0 + 4 * 3.0, 0)
    assert (known.settled, known.provisional, known.stale) == (4, 3, 1)
    assert known.logged_operational_g == 6.0
    assert (never_known.requests, never_known.carbon_unknown, never_known.provisional) == (1, 1, 0)


def test_an_empty_ledger_has_an_empty_report(filled: Fill) -> None:
    report = report_of(filled([]))

    assert report.empty
    assert (report.span.first_utc, report.lines, report.points, report.savings.measured) == (None, (), (), ())


def test_rows_that_come_twice_count_once(filled: Fill) -> None:
    """As from two ledgers that were put together, or a spool that was sent again."""
    rows = [sample_request(1), sample_request(2), sample_account()]

    report = report_of(filled([*rows, *rows]))

    assert (report.headlines[0].usage.requests, report.devices[0].counter_j) == (2, 100.0)


def test_idle_time_is_shared_out_by_energy_only_where_it_is_asked_for(filled: Fill) -> None:
    engine = filled(
        [sample_request(1, energy_j=30.0), sample_request(2, directive="full", energy_j=10.0), sample_account()]
    )

    assert {line.usage.idle_j for line in report_of(engine).lines} == {None}
    shared = report_of(engine, share_idle=True)
    assert [line.usage.idle_j for line in shared.lines] == [52.5, 17.5]
    assert [line.usage.energy_j.value for line in shared.lines] == [30.0, 10.0]


def test_the_same_ledger_gives_the_same_bytes_whatever_order_it_was_written_in(
    tmp_path: Path, fill_ledger: Callable[..., Engine]
) -> None:
    rows = _many_rows(Random(5), 80)
    shuffled = [*rows]
    Random(6).shuffle(shuffled)
    engines = [fill_ledger(str(tmp_path / f"{n}.sqlite"), of) for n, of in enumerate((rows, shuffled))]

    one, other = (as_json(report_of(engine, "day", "directive", "tag:team")) for engine in engines)

    assert one == other


def test_a_report_is_the_same_before_and_after_its_hours_were_added_up(filled: Fill) -> None:
    engine = filled(_many_rows(Random(7), 120))
    asked = [("directive",), ("day", "tag:team"), ("hour", "model")]

    before = [as_json(report_of(engine, *by)) for by in asked]
    assert roll_up(engine, now_utc=NOON + timedelta(days=30)).hours_n > 0

    assert [as_json(report_of(engine, *by)) for by in asked] == before


@pytest.mark.postgres
def test_the_same_rows_give_the_same_report_on_every_database(
    tmp_path: Path, postgres_url: str, fill_ledger: Callable[..., Engine]
) -> None:
    rows = _many_rows(Random(5), 80)
    engines = [fill_ledger(spec, [*rows, sample_account()]) for spec in (str(tmp_path / "l.sqlite"), postgres_url)]

    for by in (*TWO_GROUPS, "day", "hour", "tag:team"):
        sqlite, postgres = (as_json(report_of(engine, by)) for engine in engines)
        assert sqlite == postgres


def _many_rows(rng: Random, count: int) -> list[RequestRecord]:
    def row(number: int) -> RequestRecord:
        energy_j = rng.choice([None, rng.uniform(1, 100)])
        kind, factors = rng.choice([("average", "direct"), ("marginal", "lifecycle"), (None, None)])
        return replace(
            sample_request(number),
            started_utc=NOON + timedelta(hours=rng.randrange(72)),
            directive=rng.choice(["full", "brief"]),
            purpose=rng.choice(["request", "request", "request", "baseline"]),
            status=rng.choice(["ok", "ok", "ok", "error"]),
            task=rng.choice([None, "code", "Zusammenfassung"]),
            tags=rng.choice([{}, {"team": "search"}, {"team": "ads", "app": "x"}]),
            decision_group=rng.choice(["policy", "control"]),
            energy_j=energy_j,
            intensity_kind=kind,
            intensity_factors=factors,
            operational_g=None if energy_j is None or kind is None else energy_j * 1e-5,
        )

    return [row(number) for number in range(count)]


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=50), st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order_of_a_sum(values: list[float], rng: Any) -> None:
    """Unless a sum lies on the very edge between two figures, which the last of 16 digits decides."""
    shuffled = [*values]
    rng.shuffle(shuffled)
    one, other = steady((sum(values),)), steady((sum(shuffled),))

    assert one == pytest.approx(other, rel=1.1e-9)
    assert float(f"{one[0]:.9g}") == one[0]


def test_what_is_no_finite_number_is_unknown() -> None:
    found = steady(Figure(float("nan"), float("inf"), -0.0))

    assert asdict(found) == {"value": None, "low": None, "high": 0.0}
