"""Intervals of a report's totals: each meter's errors are its own, however its rows are grouped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sprout_like.ledger.testing import sample_request
from sprout_like.reports.build import Asked, build, steady
from sprout_like.reports.interval import Figure
from sprout_like.reports.report import Report
from sprout_like.reports.sections.sums import Sums, energy
from sprout_like.reports.uncertainty import EnergyPart, energy_total
from sprout_like.settings import Settings

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METERS = [("nvml", "measured"), ("nvml", "apportioned"), ("cpu", "estimated"), ("none", "none")]


def report_of(engine: Engine, *by: str) -> Report:
    return build(engine, Settings.load(policy="full"), Asked(by=by))


def request(number: int, half_width_j: float | None, meter: str, method: Any, **changes: Any) -> Any:
    started_utc = NOON + timedelta(hours=7 * number)
    return sample_request(
        number,
        started_utc=started_utc,
        energy_uncertainty_j=half_width_j,
        meter=meter,
        energy_method=method,
        **changes,
    )


def test_what_one_meter_knows_of_its_errors_says_nothing_of_another(filled: Fill) -> None:
    report = report_of(filled([request(1, 0.5, "rapl", "measured"), request(2, None, "cpu", "estimated")]), "directive")

    (line,) = report.lines
    assert report.headlines[0].usage.energy_j == line.usage.energy_j == Figure(40.0)


def test_an_answer_from_the_cache_takes_no_energy_and_no_interval_away(filled: Fill) -> None:
    rows = [request(1, 0.5, "rapl", "measured"), request(2, None, "rapl", "none", energy_j=0.0, operational_g=0.0)]
    report = report_of(filled(rows), "directive")

    assert report.lines[0].usage.energy_j == Figure(20.0, 19.5, 20.5)


@pytest.mark.parametrize("by", [("directive",), ("hour", "tag:team"), ("week", "meter"), ("status", "zone", "model")])
def test_intervals_of_lines_are_those_of_their_rows_meters(filled: Fill, by: tuple[str, ...]) -> None:
    rows = [
        request(1, 1.5, "nvml", "measured"),
        request(2, 2.5, "nvml", "measured"),
        request(3, 3.0, "cpu", "estimated"),
    ]
    nvml = EnergyPart(
        meter="nvml",
        method="measured",
        energy_j=40.0,
        energy_known_n=2,
        uncertainty_j=4.0,
        uncertainty_squares=1.5**2 + 2.5**2,
        uncertainty_known_n=2,
    )
    cpu = EnergyPart(
        meter="cpu",
        method="estimated",
        energy_j=20.0,
        energy_known_n=1,
        uncertainty_j=3.0,
        uncertainty_squares=9.0,
        uncertainty_known_n=1,
    )

    report = report_of(filled(rows), *by)

    whole = energy_total([nvml, cpu])
    assert report.headlines[0].usage.energy_j.low == pytest.approx(whole.low)
    assert report.headlines[0].usage.energy_j.high == pytest.approx(whole.high)
    if by == ("status", "zone", "model"):
        assert report.lines[0].usage.energy_j == report.headlines[0].usage.energy_j
    if by == ("week", "meter"):
        of = {line.group: line.usage.energy_j.high for line in report.lines}
        assert of["2026-W09", "nvml"] == pytest.approx(energy_total([_one(1.5)]).high)
        assert of["2026-W10", "nvml"] == pytest.approx(energy_total([_one(2.5)]).high)


def _one(half_width_j: float) -> EnergyPart:
    return EnergyPart(
        meter="nvml",
        method="measured",
        energy_j=20.0,
        energy_known_n=1,
        uncertainty_j=half_width_j,
        uncertainty_squares=half_width_j**2,
        uncertainty_known_n=1,
    )


ROW = st.tuples(
    st.sampled_from(METERS),
    st.one_of(st.none(), st.floats(0, 1e4)),
    st.one_of(st.none(), st.floats(0, 1e3)),
)


@given(st.lists(ROW, min_size=1, max_size=30), st.randoms())
def test_the_interval_does_not_depend_on_how_rows_were_added_up(rows: list[Any], random: Any) -> None:
    def sums(some: list[Any]) -> Sums:
        return Sums.over(_sums_of(*row) for row in some)

    whole = energy(sums(rows))
    shuffled = random.sample(rows, len(rows))
    cut = random.randrange(len(rows) + 1)
    in_parts = energy(Sums.over([sums(shuffled[:cut]), sums(shuffled[cut:])]))

    assert (in_parts.low is None) == (whole.low is None)
    for one, other in ((whole.value, in_parts.value), (whole.low, in_parts.low), (whole.high, in_parts.high)):
        assert one == other or math.isclose(one or 0.0, other or 0.0, rel_tol=1e-9, abs_tol=1e-6)
    if whole.value is not None and whole.low is not None and whole.high is not None:
        assert 0 <= whole.low <= whole.value + 1e-6
        assert whole.value <= whole.high + 1e-6


def _sums_of(key: tuple[str, str], energy_j: float | None, half_width_j: float | None) -> Sums:
    known = half_width_j if energy_j is not None else None
    part = EnergyPart(
        meter=key[0],
        method=key[1],
        energy_j=energy_j,
        energy_known_n=int(energy_j is not None),
        uncertainty_j=known,
        uncertainty_squares=None if known is None else known * known,
        uncertainty_known_n=int(known is not None),
    )
    return Sums(requests_n=1, energy_j=energy_j, energy_known_n=int(energy_j is not None), meters=(part,))


def test_a_request_that_does_not_know_its_batch_is_one_row_beside_those_that_do(filled: Fill) -> None:
    rows = [request(1, 0.5, "rapl", "measured", batch_size=4), request(2, 0.5, "rapl", "measured", batch_size=None)]

    assert report_of(filled(rows), "directive").lines[0].usage.rows == 5


@given(st.integers(10**8, 10**9 - 1), st.integers(-9, 5), st.integers(-8, 8))
def test_the_last_bit_of_a_sum_just_between_two_figures_decides_nothing(digits: int, power: int, bits: int) -> None:
    """Sums of milliseconds and mJ often are; databases add them up in orders of their own."""
    between = float(f"{digits}5e{power}")

    assert steady(between + bits * math.ulp(between)) == steady(between)
    assert steady(between) == pytest.approx(between, rel=5.01e-9)
