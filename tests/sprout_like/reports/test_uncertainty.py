"""How far totals may be off: what the intervals promise, and that scripted meters keep to it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.meters import Accounts, Energy
from sprout_like.meters.meter import Device
from sprout_like.meters.nvml import NvmlMeter
from sprout_like.meters.testing import FakeGpu, FakeNvml, ManualClock
from sprout_like.reports.interval import Figure
from sprout_like.reports.uncertainty import EnergyPart, carbon_total, energy_total

TICK_S, CALIBRATION = 0.1, 0.05

_rows = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e3)), min_size=1, max_size=20)
_certain_rows = st.lists(
    st.tuples(st.floats(0, 1e4), st.floats(0, 1)).map(lambda row: (row[0], row[0] * row[1])), min_size=1, max_size=20
)


def part(rows: Collection[tuple[float, float | None]], meter: str = "nvml", method: str = "measured") -> EnergyPart:
    """Of rows of energy and half-width in J."""
    known = [half for _, half in rows if half is not None]
    return EnergyPart(
        meter=meter,
        method=method,
        energy_j=math.fsum(energy for energy, _ in rows),
        energy_known_n=len(rows),
        uncertainty_j=math.fsum(known) if known else None,
        uncertainty_squares=math.fsum(half**2 for half in known) if known else None,
        uncertainty_known_n=len(known),
    )


def ends(figure: Figure) -> tuple[float, float, float]:
    assert figure.low is not None
    assert figure.value is not None
    assert figure.high is not None
    return figure.low, figure.value, figure.high


@given(_rows, st.sampled_from(["measured", "apportioned", "estimated"]))
def test_the_interval_holds_its_value_and_is_within_what_the_rows_say(
    rows: list[tuple[float, float]], method: str
) -> None:
    low, value, high = ends(energy_total([part(rows, method=method)]))

    every = math.fsum(half for _, half in rows)
    slack = 1e-9 * (1 + value + every)
    assert max(0.0, value - every) - slack <= low <= value + slack
    assert value - slack <= high <= value + every + slack


@given(_certain_rows, _certain_rows)
def test_a_whole_is_at_most_as_uncertain_as_its_parts_together(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    parts = [part(one), part(other)]
    low, value, high = ends(energy_total(parts))
    each = [ends(energy_total([some])) for some in parts]

    assert value == pytest.approx(math.fsum(some[1] for some in each))
    assert low >= math.fsum(some[0] for some in each) - 1e-6
    assert high <= math.fsum(some[2] for some in each) + 1e-6


@given(_rows, st.floats(1, 10))
def test_worse_rows_do_not_make_a_better_total(rows: list[tuple[float, float]], factor: float) -> None:
    low, _, high = ends(energy_total([part(rows, method="estimated")]))
    worse = ends(energy_total([part([(energy, factor * half) for energy, half in rows], method="estimated")]))

    assert worse[0] <= low + 1e-9
    assert worse[2] >= high - 1e-9


def test_a_power_models_error_does_not_average_out() -> None:
    low, value, high = ends(energy_total([part([(10.0, 5.0)] * 1000, meter="cpu", method="estimated")]))

    assert (low, value, high) == pytest.approx((5000.0, 10000.0, 15000.0))


def test_the_random_part_of_ticks_averages_out_and_what_windows_lack_after_idling_does_not() -> None:
    """10,000 windows of 20 ticks at 100 W: 200 J each, of which a tick is 10 J."""
    low, value, high = ends(energy_total([part([(200.0, 10.0 + CALIBRATION * 200.0)] * 10_000)]))

    assert (value - low) / value == pytest.approx(CALIBRATION, abs=0.001)
    assert (high - value) / value == pytest.approx(CALIBRATION + 0.05 / 2, abs=0.002)


def test_what_is_unknown_stays_unknown() -> None:
    nothing = EnergyPart(
        meter="none",
        method="none",
        energy_j=None,
        energy_known_n=0,
        uncertainty_j=None,
        uncertainty_squares=None,
        uncertainty_known_n=0,
    )

    assert energy_total([]) == energy_total([nothing]) == Figure(None)
    assert energy_total([part([(3.0, None)])]) == Figure(3.0)
    assert energy_total([part([(3.0, None)]), part([(4.0, 1.0)])]) == Figure(7.0)
    assert carbon_total(None, Figure(3.0, 2.0, 4.0), provisional=False) == Figure(None)
    assert carbon_total(5.0, Figure(3.0), provisional=False) == Figure(5.0)


def test_rows_of_unknown_half_width_are_taken_to_be_like_the_others() -> None:
    half_known = ends(energy_total([part([(10.0, 2.0), (10.0, None)], method="estimated")]))

    assert half_known == ends(energy_total([part([(10.0, 2.0)] * 2, method="estimated")]))


def test_grams_are_as_uncertain_as_their_energy_and_provisional_ones_unknown_far() -> None:
    energy = Figure(100.0, 90.0, 120.0)

    assert ends(carbon_total(10.0, energy, provisional=False)) == pytest.approx((9.0, 10.0, 12.0))
    assert carbon_total(10.0, energy, provisional=True) == Figure(10.0)


class TickingMeter:
    """Draws 300 W while busy and 60 W while idle, and shows it tick by tick, off by its calibration."""

    name = "nvml"
    devices = (
        Device(id="gpu", name="gpu", component="gpu", method="measured", tick_s=TICK_S, relative_error=CALIBRATION),
    )

    def __init__(self, rng: Random, clock: ManualClock) -> None:
        self._off = 1 + rng.uniform(-CALIBRATION, CALIBRATION)
        self._phase_s = rng.uniform(0, TICK_S)
        self._clock = clock
        self._drawn_j = 0.0
        self._shown_j = 0.0

    def run(self, seconds: float, watts: float) -> None:
        """Draw so much power for a time."""
        left_s = seconds
        while left_s > 0:
            step_s = min(left_s, TICK_S - self._phase_s)
            self._drawn_j += step_s * watts
            self._phase_s += step_s
            left_s -= step_s
            if self._phase_s >= TICK_S - 1e-12:
                self._phase_s, self._shown_j = 0.0, self._drawn_j
        self._clock.advance(seconds)

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        return dict.fromkeys(device_ids, self._shown_j * self._off)

    def close(self) -> None:
        pass


def month(seed: int, mean_s: float) -> list[tuple[float, Energy]]:
    """What each of 60 requests drew, idling between, and what its row says; the device was warmed up before."""
    rng = Random(seed)
    clock = ManualClock()
    meter = TickingMeter(rng, clock)
    accounts = Accounts(meter, clock=clock)
    found = []
    with accounts.overhead(["gpu"]):
        meter.run(2.0, 300.0)
    for _ in range(60):
        meter.run(rng.uniform(0.2, 2.0), 60.0)
        window = accounts.open(["gpu"])
        seconds = mean_s * rng.uniform(0.5, 1.5)
        meter.run(seconds, 300.0)
        found.append((300.0 * seconds, window.close()))
    return found


@pytest.mark.parametrize("mean_s", [0.12, 0.5, 2.0])
def test_a_ticking_meters_totals_hold_the_truth(mean_s: float) -> None:
    """Of windows of about one tick, of five and of twenty; at least 95 % of 60 months, and not by being endless."""
    inside, widths = 0, []
    for seed in range(60):
        found = month(seed, mean_s)
        true_j = math.fsum(true_j for true_j, _ in found)
        rows = [(energy.energy_j or 0.0, energy.uncertainty_j) for _, energy in found]
        low, value, high = ends(energy_total([part(rows)]))
        inside += low <= true_j <= high
        linear = math.fsum(half or 0.0 for _, half in rows)
        widths.append((high - low) / (2 * linear))
        assert value == pytest.approx(math.fsum(energy for energy, _ in rows))

    assert inside >= 57
    assert sum(widths) / len(widths) < 0.9


@pytest.mark.parametrize("mean_s", [0.05, 0.12, 0.5])
def test_a_request_of_few_ticks_is_as_far_off_as_its_row_says(mean_s: float) -> None:
    """What is read of it is partly the idling before; its own reading says too little of its power."""
    rows = [row for seed in range(10) for row in month(seed, mean_s)]

    inside = [abs((energy.energy_j or 0.0) - true_j) <= (energy.uncertainty_j or 0.0) + 1e-6 for true_j, energy in rows]

    assert sum(inside) / len(inside) >= 0.99


def test_ticks_in_quadrature_alone_would_miss_the_truth() -> None:
    """After idling every window lacks half a tick's rise in power on average."""
    lacks = []
    for seed in range(20):
        found = month(seed, 0.5)
        true_j = math.fsum(true_j for true_j, _ in found)
        read_j = math.fsum(energy.energy_j or 0.0 for _, energy in found)
        lacks.append((true_j - read_j) / true_j)

    assert sum(lacks) / len(lacks) == pytest.approx((300 - 60) / 300 * TICK_S / 2 / 0.5, abs=0.03)


def test_the_systematic_part_is_what_the_meter_declares() -> None:
    """Rows of `nvml` that are measured alone come of devices with one relative error."""
    with_half_widths = part([(100.0, CALIBRATION * 100.0)])
    low, value, high = ends(energy_total([with_half_widths]))

    device = NvmlMeter(nvml=FakeNvml(FakeGpu(uuid="GPU-1"))).devices[0]
    assert (device.method, device.relative_error) == ("measured", CALIBRATION)
    assert (low, high) == pytest.approx((value * (1 - CALIBRATION), value * (1 + CALIBRATION)))
