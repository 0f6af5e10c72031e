"""Costs, standards, the site, devices, quality and the course of things: against sums made by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from directives.evidence import Quality as Judged
from sprout_like.errors import SettingError
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.reports.build import Asked, build
from sprout_like.reports.report import Report
from sprout_like.reports.sections.overview import classes
from sprout_like.reports.sections.quality import lower_bound
from sprout_like.settings import Settings

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KWH_J = 3.6e6


def report_of(engine: Engine, **settings: Any) -> Report:
    return build(engine, Settings.load(policy="full", **settings), Asked())


def request(number: int, *, kwh: float = 1.0, g_per_kwh: float | None = 100.0, **changes: Any) -> Any:
    """A request of so many kWh at PUE 1.5."""
    known = {"intensity_kind": "average", "intensity_factors": "direct"} if g_per_kwh is not None else {}
    row = {
        "energy_j": kwh * KWH_J,
        "energy_uncertainty_j": 0.1 * kwh * KWH_J,
        "pue": 1.5,
        "intensity_g_per_kwh": g_per_kwh,
        "intensity_kind": None,
        "intensity_factors": None,
        "operational_g": None if g_per_kwh is None else kwh * 1.5 * g_per_kwh,
        "embodied_g": 10.0,
        "new_tokens": 500,
        **known,
        **changes,
    }
    return sample_request(number, **row)


def test_costs_per_1000_requests_and_per_token(filled: Fill) -> None:
    engine = filled([request(1), request(2, kwh=3.0)])

    each, token = report_of(engine, wue_l_per_kwh=2.0, wue_source="site", price_per_kwh=0.25, currency="EUR").costs

    assert (each.per, each.units, token.per, token.units) == ("1,000 requests", 0.002, "new token", 1000.0)
    assert each.energy_j.value == pytest.approx(2000 * KWH_J)
    assert (each.operational_g.value, each.embodied_g.value) == pytest.approx((300_000.0, 10_000.0))
    assert (each.water_l.value, each.price.value) == pytest.approx((4000.0, 750.0))
    assert (token.energy_j.value, token.operational_g.value) == pytest.approx((4 * KWH_J / 1000, 0.6))
    assert (token.embodied_g.value, token.water_l.value, token.price.value) == pytest.approx((0.02, 0.008, 0.0015))
    assert each.energy_j.half_width == pytest.approx(0.1 * 2000 * KWH_J, rel=0.5)


def test_what_is_unknown_costs_neither_nothing_nor_as_much_as_the_rest(filled: Fill) -> None:
    unmetered = {"energy_j": None, "energy_method": "none", "energy_uncertainty_j": None, "operational_g": None}
    engine = filled([request(1, kwh=2.0), sample_request(2, **unmetered, new_tokens=10_000)])

    each, token = report_of(engine).costs

    assert each.energy_j.value == pytest.approx(2000 * KWH_J)
    assert token.energy_j.value == pytest.approx(2 * KWH_J / 500)
    assert (each.water_l.value, each.price.value) == (None, None)


def test_software_carbon_intensity_is_e_times_i_plus_m_per_r(filled: Fill) -> None:
    engine = filled([request(1), request(2, kwh=3.0, g_per_kwh=200.0)])

    each, tokens = report_of(engine).sci

    assert (each.functional_unit, tokens.functional_unit) == ("request", "1,000 new tokens")
    assert each.energy_kwh.value == pytest.approx(3.0)
    assert each.intensity_g_per_kwh == pytest.approx((1.5 * 100 + 4.5 * 200) / 6)
    assert each.operational_g.value == pytest.approx(3.0 * 175)
    assert (each.embodied_g.value, each.score_g.value) == pytest.approx((10.0, 535.0))
    assert tokens.score_g.value == pytest.approx(535.0 * 2)


def test_without_embodied_emissions_there_is_no_score(filled: Fill) -> None:
    (each, _) = report_of(filled([request(1, embodied_g=None)])).sci

    assert (each.operational_g.value, each.score_g.value) == (150.0, None)


def test_scope_2_by_location_takes_average_intensities_alone_and_by_market_the_contract(filled: Fill) -> None:
    engine = filled(
        [
            request(1),
            request(2, kwh=2.0, intensity_factors="lifecycle"),
            request(3, kwh=3.0, intensity_kind="marginal"),
            request(4, kwh=4.0, g_per_kwh=None),
            request(5, purpose="evaluation"),
        ]
    )

    scope2 = report_of(engine, market_g_per_kwh=20.0, market_source="Utility, 2026").scope2

    assert scope2 is not None
    assert [(of.intensity_factors, of.kwh.value, of.operational_g.value) for of in scope2.location] == [
        ("direct", 3.0, 300.0),
        ("lifecycle", 3.0, 300.0),
    ]
    assert (scope2.marginal_kwh, scope2.unknown_kwh, scope2.kwh.value) == (4.5, 6.0, 16.5)
    assert scope2.market is not None
    assert (scope2.market.kwh.value, scope2.market.operational_g.value) == (16.5, 330.0)
    assert report_of(engine).scope2.market is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"market_g_per_kwh": 20.0}, "market_source: market_g_per_kwh is set, and who states it"),
        ({"market_g_per_kwh": 20.0, "market_source": " "}, "market_source"),
        ({"wue_l_per_kwh": 2.0}, "wue_source: wue_l_per_kwh is set"),
        ({"price_per_kwh": 0.3}, "currency: price_per_kwh is set, and in which currency"),
    ],
)
def test_a_factor_of_the_users_own_must_say_where_it_is_from(filled: Fill, given: dict[str, Any], names: str) -> None:
    with pytest.raises(SettingError, match=names):
        report_of(filled([]), **given)


def test_the_site_with_pue_water_and_money(filled: Fill) -> None:
    engine = filled([request(1), request(2, pue=1.0, operational_g=100.0)])

    site = report_of(engine, wue_l_per_kwh=1.8, wue_source="operator", price_per_kwh=0.2, currency="EUR").site

    assert (site.meter_kwh.value, site.facility_kwh.value, site.pues) == (2.0, 2.5, (1.0, 1.5))
    assert (site.water_l.value, site.price.value) == (3.6, 0.5)


def test_equivalences_name_factor_and_source(filled: Fill) -> None:
    petrol, _ = report_of(filled([request(1, kwh=10.0)])).equivalences

    assert petrol.amount == pytest.approx(1500 / (8887 / 3.785411784))
    assert "8,887 g CO2 per US gallon" in petrol.source


def test_devices_say_where_the_counters_energy_went_and_what_is_missing(filled: Fill) -> None:
    later = NOON + timedelta(hours=1)
    engine = filled(
        [
            sample_account(),
            sample_account(account_id="b", started_utc=later, counter_j=200.0, idle_j=166.0),
            sample_account(device_id="cpu", counter_j=1.0, requests_j=1.0, elsewhere_j=0, overhead_j=0, idle_j=0),
        ]
    )

    gpu, cpu = report_of(engine).devices

    assert (gpu.device_id, gpu.accounts, gpu.counter_j, gpu.idle_j) == ("GPU-0", 2, 300.0, 236.0)
    assert (gpu.gap_j, gpu.gap_share) == (-4.0, pytest.approx(-4 / 300))
    assert (gpu.worst_hour_utc, gpu.worst_hour_share) == (later, -0.02)
    assert (cpu.device_id, cpu.gap_share) == ("cpu", 0.0)


def test_a_counter_that_several_processes_read_counts_each_stretch_once(filled: Fill) -> None:
    """Two processes on one GPU, whose accounts overlap from 150 to 200 J of it, and 20 J that are in no account."""
    stretches = [("a", 100.0, 200.0), ("b", 150.0, 250.0), ("c", 270.0, 300.0), ("d", 160.0, 170.0)]
    engine = filled(
        [
            sample_account(
                account_id=name,
                session_id=name,
                host="h",
                host_counter_id="nvml",
                host_from_j=start,
                host_to_j=end,
                counter_j=40.0,
                requests_j=40.0,
                elsewhere_j=0.0,
                overhead_j=0.0,
                idle_j=0.0,
            )
            for name, start, end in stretches
        ]
    )

    (device,) = report_of(engine).devices

    assert (device.host, device.accounts, device.counter_j, device.host_counter_j) == ("h", 4, 160.0, 180.0)


def test_points_carry_the_mean_intensity_over_the_energy(filled: Fill) -> None:
    at = NOON + timedelta(hours=1)
    engine = filled(
        [
            request(1),
            request(2, kwh=3.0, g_per_kwh=200.0),
            request(3, kwh=2.0, started_utc=at),
            request(4, g_per_kwh=None, started_utc=at),
        ]
    )

    points = report_of(engine).points

    assert [(point.start_utc, point.intensity_kind, point.requests) for point in points] == [
        (NOON, "average", 2),
        (at, "average", 1),
        (at, None, 1),
    ]
    assert [point.intensity_g_per_kwh for point in points] == [175.0, 100.0, None]


def test_long_spans_have_a_point_a_day(filled: Fill) -> None:
    engine = filled([request(1), request(2, started_utc=NOON + timedelta(days=9))])

    report = report_of(engine)

    assert (report.step, [f"{point.start_utc:%m-%d %H}" for point in report.points]) == (
        "day",
        ["03-01 00", "03-10 00"],
    )
    assert [(of.start_utc.day, of.directive, of.requests) for of in report.mix] == [(1, "brief", 1), (10, "brief", 1)]


def test_directives_are_counted_by_class_of_intensity(filled: Fill) -> None:
    engine = filled(
        [
            request(1, g_per_kwh=99.0, directive="full"),
            request(2, g_per_kwh=139.0, directive="brief", started_utc=NOON + timedelta(hours=1)),
            request(3, g_per_kwh=141.0, directive="brief", started_utc=NOON + timedelta(hours=2)),
            request(4, g_per_kwh=None),
            request(5, purpose="baseline"),
        ]
    )

    found = report_of(engine).classes

    assert [(of.low_g_per_kwh, of.high_g_per_kwh, of.directive, of.requests) for of in found] == [
        (90.0, 100.0, "full", 1),
        (130.0, 140.0, "brief", 1),
        (140.0, 150.0, "brief", 1),
    ]


def test_wide_ranges_have_wide_classes() -> None:
    found = classes([("average", "direct", "full", place, 1) for place in (0, 4, 5, 39)])

    assert [(of.low_g_per_kwh, of.high_g_per_kwh, of.requests) for of in found] == [
        (0.0, 50.0, 2),
        (50.0, 100.0, 1),
        (350.0, 400.0, 1),
    ]


def _judged(engine: Engine, scores: Iterable[tuple[float, float]], *, judge: str = "numeric") -> None:
    evaluation = {
        "evaluation_id": judge,
        "started_utc": NOON,
        "ended_utc": NOON,
        "reason": "asked",
        "ended": "tight",
        "model": sample_request().model,
        "catalogue_version": sample_request().catalogue_version,
        "judge": judge,
        **dict.fromkeys(("prompts_n", "verdicts_n", "dropped_n", "ties_n", "first_n", "second_n"), 0),
        "dropped": {},
        "judge_energy_method": "none",
        "judge_s": 1.0,
    }
    home = {"bin_task": "", "bin_prompt_tokens": "", "bin_limit_tokens": "", "bin_batch_size": ""}
    with Session(engine) as session, session.begin():
        session.add(EvaluationRow(**evaluation))
        session.flush()
        for place, (score, full_score) in enumerate(scores):
            session.add(
                VerdictRow(
                    evaluation_id=judge,
                    place=place,
                    judged_utc=NOON + timedelta(seconds=place),
                    prompt_number=place,
                    directive="brief",
                    score=score,
                    full_score=full_score,
                    **home,
                )
            )


def test_quality_is_a_share_of_fulls_by_judge_with_a_lower_bound(filled: Fill) -> None:
    engine = filled([sample_request(1)])
    _judged(engine, [(0.8, 1.0), (0.9, 1.0), (0.7, 0.8)] * 10)
    _judged(engine, [(1.0, 1.0)] * 2, judge="exact")

    exact, numeric = build(engine, Settings.load(), Asked()).quality

    assert (exact.judge, exact.quality.value, exact.quality.low, exact.verdicts_n) == ("exact", 1.0, 1.0, 2)
    assert (numeric.judge, numeric.verdicts_n) == ("numeric", 30)
    assert numeric.quality.value == pytest.approx(24 / 28)
    assert 0.8 < (numeric.quality.low or 0) < 24 / 28
    assert (numeric.floor, numeric.confidence) == (0.95, 0.99)
    later = Asked(since_utc=NOON + timedelta(minutes=1))
    assert build(engine, Settings.load(), later).quality == ()


def test_the_lower_bound_of_quality_holds_as_often_as_it_says() -> None:
    """400 evaluations of 40 pairs at 90 %; the share has a standard error of 1.5 %."""
    rng = Random(20260301)
    held = 0
    for _ in range(400):
        pairs = []
        for _ in range(40):
            full = rng.uniform(0.5, 1.0)
            pairs.append((full * rng.uniform(0.6, 1.0), full))
        judged = Judged.of(pairs)
        assert judged is not None
        low = lower_bound(judged, 0.9)
        held += low is not None and low <= 0.8

    assert 0.85 <= held / 400 <= 0.95


def test_a_single_verdict_bounds_nothing() -> None:
    one = Judged.of([(0.5, 1.0)])

    assert one is not None
    assert lower_bound(one, 0.9) is None
    assert math.isclose(lower_bound(Judged.of([(0.5, 1.0)] * 3) or one, 0.9) or 0, 0.5)
