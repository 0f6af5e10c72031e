"""The sums over a ledger, on every database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from sqlalchemy import Engine

from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.grouping import GroupBy
from sprout_like.reports.machine import plain
from sprout_like.reports.summary import Summary, summarise

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
}


@pytest.mark.parametrize("by", TWO_GROUPS)
def test_a_line_for_each_value(filled: Fill, by: GroupBy) -> None:
    one, other = TWO_GROUPS[by]
    engine = filled(
        [
            sample_request(1, **{by: one}, energy_j=5.0),
            sample_request(2, **{by: one}, energy_j=7.0),
            sample_request(3, **{by: other}, energy_j=1.0),
        ]
    )

    lines = summarise(engine, by=by).lines

    assert [(line.group, line.requests, line.energy_j) for line in lines] == [(one, 2, 12.0), (other, 1, 1.0)]


def test_days_are_utc_days_in_order_of_time(filled: Fill) -> None:
    """The PostgreSQL server of the tests lives in India, where these three are one day, and two of another month."""
    engine = filled(
        [
            sample_request(1, started_utc=datetime(2026, 2, 28, 18, 40, tzinfo=UTC), energy_j=1.0),
            sample_request(2, started_utc=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), energy_j=1.0),
            sample_request(3, started_utc=datetime(2026, 3, 1, tzinfo=UTC), energy_j=9.0),
        ]
    )

    assert [(line.group, line.requests) for line in summarise(engine, by="day").lines] == [
        ("2026-02-28", 2),
        ("2026-03-01", 1),
    ]


def test_a_span_holds_its_first_moment_and_not_its_last(filled: Fill) -> None:
    rows = [sample_request(second) for second in range(3)]
    accounts = [sample_account(account_id=f"{n}", started_utc=NOON + timedelta(seconds=n)) for n in range(3)]
    engine = filled([*rows, *accounts])
    since, until = NOON, NOON + timedelta(seconds=2)

    summary = summarise(engine, since_utc=since, until_utc=until)

    assert sum(line.requests for line in summary.lines) == 2
    assert (summary.first_utc, summary.last_utc) == (NOON, NOON + timedelta(seconds=1))
    assert (summary.overheads.overhead_j, summary.overheads.idle_j) == (20.0, 140.0)
    assert (summary.since_utc, summary.until_utc) == (since, until)


def test_a_span_may_be_open_at_either_end(filled: Fill) -> None:
    engine = filled([sample_request(second) for second in range(3)])
    middle = NOON + timedelta(seconds=1)

    def requests(**span: Any) -> int:
        return sum(line.requests for line in summarise(engine, **span).lines)

    assert (requests(), requests(since_utc=middle), requests(until_utc=middle)) == (3, 2, 1)


def test_unknown_energy_and_carbon_are_counted_and_in_no_sum(filled: Fill) -> None:
    unmetered = {"energy_j": None, "energy_method": "none", "energy_uncertainty_j": None, "operational_g": None}
    engine = filled(
        [
            sample_request(1, energy_j=2.0, energy_uncertainty_j=0.5, operational_g=0.25),
            sample_request(2, **unmetered),
            sample_request(3, energy_j=3.0, energy_uncertainty_j=0.25, operational_g=None),
        ]
    )

    (line,) = summarise(engine).lines

    assert (line.energy_j, line.energy_unknown, line.uncertainty_j) == (5.0, 1, 0.75)
    assert (line.operational_g, line.carbon_unknown) == (0.25, 2)


def test_what_no_row_knows_is_unknown_and_not_zero(filled: Fill) -> None:
    nothing = {"energy_j": None, "energy_uncertainty_j": None, "operational_g": None, "embodied_g": None}
    engine = filled([sample_request(1, energy_method="none", new_tokens=None, **nothing)])

    summary = summarise(engine)

    (line,) = summary.lines
    figures = (line.energy_j, line.uncertainty_j, line.operational_g, line.embodied_g, line.new_tokens)
    assert figures == (None,) * 5
    assert (summary.overheads.overhead_j, summary.overheads.idle_j) == (None, None)


def test_grams_of_different_kinds_and_factors_are_never_added_up(filled: Fill) -> None:
    provenances = [("average", "direct"), ("average", "lifecycle"), ("marginal", "direct"), (None, None)]
    engine = filled(
        [
            sample_request(number, intensity_kind=kind, intensity_factors=factors, operational_g=1.0)
            for number, (kind, factors) in enumerate(provenances * 2)
        ]
    )

    lines = summarise(engine).lines

    assert {(line.intensity_kind, line.intensity_factors) for line in lines} == set(provenances)
    assert [(line.requests, line.operational_g) for line in lines] == [(2, 2.0)] * 4


def test_baselines_and_evaluations_are_lines_of_their_own_after_the_requests(filled: Fill) -> None:
    engine = filled(
        [
            sample_request(1, purpose="evaluation", energy_j=900.0),
            sample_request(2, purpose="baseline", energy_j=500.0),
            sample_request(3, energy_j=1.0),
        ]
    )

    assert [(line.purpose, line.energy_j) for line in summarise(engine).lines] == [
        ("request", 1.0),
        ("evaluation", 900.0),
        ("baseline", 500.0),
    ]


def test_errors_and_stale_readings_are_counted_and_their_energy_too(filled: Fill) -> None:
    engine = filled(
        [
            sample_request(1, energy_j=4.0),
            sample_request(2, energy_j=2.0, status="error", error_type="RuntimeError"),
            sample_request(3, energy_j=1.0, intensity_stale=True),
            sample_request(4, energy_j=1.0, intensity_stale=None),
        ]
    )

    (line,) = summarise(engine).lines

    assert (line.requests, line.errors, line.stale, line.energy_j) == (4, 1, 1, 8.0)


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

    known, never_known = summarise(engine).lines

    assert (known.requests, known.operational_g, known.carbon_unknown) == (7, 3 * 1.0 + 4 * 3.0, 0)
    assert (known.settled, known.provisional, known.stale) == (4, 3, 1)
    assert (never_known.requests, never_known.carbon_unknown, never_known.provisional) == (1, 1, 0)


def test_an_empty_ledger_has_an_empty_summary(filled: Fill) -> None:
    summary = summarise(filled([]))

    assert (summary.first_utc, summary.last_utc, summary.lines, summary.savings) == (None, None, [], [])


def test_an_unknown_grouping_names_the_known_ones(filled: Fill) -> None:
    with pytest.raises(ValueError, match="cannot group by 'hour'; use one of directive, day, model"):
        summarise(filled([]), by="hour")  # type: ignore[arg-type]


@pytest.mark.postgres
def test_the_same_rows_give_the_same_summary_on_every_database(
    tmp_path: Path, postgres_url: str, fill_ledger: Callable[..., Engine]
) -> None:
    rows = _many_rows(Random(5), 80)
    engines = [fill_ledger(spec, [*rows, sample_account()]) for spec in (str(tmp_path / "l.sqlite"), postgres_url)]

    for by in get_args(GroupBy):
        sqlite, postgres = (_comparable(summarise(engine, by=by)) for engine in engines)
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
            decision_group=rng.choice(["policy", "control"]),
            energy_j=energy_j,
            intensity_kind=kind,
            intensity_factors=factors,
            operational_g=None if energy_j is None or kind is None else energy_j * 1e-5,
        )

    return [row(number) for number in range(count)]


def _comparable(summary: Summary) -> str:
    """Databases add up in different orders: floats to nine figures."""

    def rounded(value: Any) -> Any:
        match value:
            case dict():
                return {key: rounded(item) for key, item in value.items()}
            case list():
                return [rounded(item) for item in value]
            case float():
                return f"{value:.9g}"
        return value

    return json.dumps(rounded(plain(asdict(summary))), indent=1)
