"""The arithmetic of a span: what is added up, what is kept apart, what is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.dashboard.span import SPANS
from sprout_like.dashboard.traffic import OTHERS, Served, traffic_of

NOW = datetime(2026, 3, 2, 12, 30, 20, tzinfo=UTC)
HOUR, DAY = SPANS["hour"], SPANS["day"]


def served(
    directive: str = "full",
    *,
    minutes_ago: float = 5,
    requests_n: int = 10,
    energy_j: float | None = 100.0,
    operational_g: float | None = 0.5,
    kind: str | None = "average",
    purpose: str = "request",
) -> Served:
    return Served(
        at_utc=NOW - timedelta(minutes=minutes_ago),
        purpose=purpose,
        directive=directive,
        kind=kind,
        factors="direct",
        energy_method="measured",
        requests_n=requests_n,
        errors_n=1,
        new_tokens=None,
        energy_j=energy_j,
        energy_known_n=0 if energy_j is None else requests_n,
        uncertainty_j=None if energy_j is None else energy_j / 10,
        uncertainty_known_n=0 if energy_j is None else requests_n,
        operational_g=operational_g,
        carbon_known_n=0 if operational_g is None else requests_n,
    )


@pytest.mark.parametrize("name", SPANS)
@given(offset_s=st.integers(0, 10**9))
def test_a_span_ends_in_the_bucket_that_holds_now(name: str, offset_s: int) -> None:
    span, now_utc = SPANS[name], NOW + timedelta(seconds=offset_s)
    last_utc = span.since_utc(now_utc) + timedelta(seconds=span.step_s * (span.buckets_n - 1))
    assert last_utc == span.bucket_utc(now_utc)
    assert timedelta() <= now_utc - last_utc < timedelta(seconds=span.step_s)
    assert last_utc.timestamp() % span.step_s == 0


def test_rows_without_a_half_width_do_not_make_the_others_surer() -> None:
    known, unknown = served("brief"), served("brief")
    traffic = traffic_of([known, replace(unknown, uncertainty_j=None, uncertainty_known_n=0)], DAY, NOW)
    assert traffic.per_request_uncertainty_j == 1.0
    assert traffic.uncertainty_j == 20.0


def test_nothing_served_is_nothing_known() -> None:
    traffic = traffic_of([], DAY, NOW)
    assert traffic.requests_n == 0
    assert traffic.per_request_j is None
    assert traffic.energy_j is None
    assert traffic.new_tokens is None
    assert traffic.carbon == []
    assert set(traffic.plots.per_request_j) == {None}


def test_requests_of_unknown_energy_lower_no_mean() -> None:
    traffic = traffic_of([served(), served(energy_j=None, operational_g=None)], DAY, NOW)
    assert traffic.requests_n == 20
    assert traffic.per_request_j == 10.0
    assert traffic.per_request_uncertainty_j == 1.0
    assert traffic.carbon[0].per_request_g == 0.05
    assert traffic.carbon_unknown_n == 10


def test_grams_of_two_kinds_are_never_added_up() -> None:
    traffic = traffic_of([served(), served(kind="marginal", operational_g=9.0, requests_n=5)], DAY, NOW)
    assert [(each.kind, each.operational_g) for each in traffic.carbon] == [("average", 0.5), ("marginal", 9.0)]
    known = [[value for value in column if value is not None] for column in traffic.plots.per_request_g]
    assert known == [[0.05], [1.8]]


def test_what_was_run_for_other_purposes_is_told_apart() -> None:
    traffic = traffic_of([served(), served(purpose="evaluation", energy_j=None)], DAY, NOW)
    assert traffic.requests_n == 10
    assert [(other.purpose, other.requests_n, other.energy_j) for other in traffic.others] == [("evaluation", 10, None)]


def test_rates_of_the_bucket_that_holds_now_are_over_what_has_passed_of_it() -> None:
    traffic = traffic_of([served(minutes_ago=0, requests_n=10)], HOUR, NOW)  # 20 s of the minute
    assert traffic.plots.per_minute[-1] == pytest.approx(30)
    early = traffic_of([served(minutes_ago=0.25)], HOUR, NOW - timedelta(seconds=15))
    assert len(early.plots.times_s) == HOUR.buckets_n - 1


def test_a_young_ledger_is_not_measured_over_hours_it_did_not_have() -> None:
    assert traffic_of([served(minutes_ago=30, requests_n=60)], DAY, NOW).per_minute == pytest.approx(2, rel=0.05)


@given(counts=st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_every_request_is_in_the_mix_once(counts: list[int]) -> None:
    lines = [served(f"d{n}", requests_n=count, minutes_ago=60 + n) for n, count in enumerate(counts)]
    traffic = traffic_of(lines, DAY, NOW)
    assert sum(mix.requests_n for mix in traffic.directives) == traffic.requests_n == sum(counts)
    assert sum(mix.share for mix in traffic.directives) == pytest.approx(1)
    assert len(traffic.directives) <= 7
    assert (traffic.directives[-1].directive == OTHERS) == (len(counts) > 7)
    per_minute = [sum(column) for column in zip(*traffic.plots.mix, strict=True)]
    assert per_minute == pytest.approx(list(traffic.plots.per_minute))
    assert sum(per_minute) * 60 == pytest.approx(sum(counts))
