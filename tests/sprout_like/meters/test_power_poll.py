from __future__ import annotations

import threading

import pytest

from sprout_like.errors import MeterError
from sprout_like.meters.power_poll import PolledEnergy
from sprout_like.meters.testing import ManualClock


class Sensor:
    """A power that is set by hand, or fails."""

    def __init__(self, watts: float) -> None:
        self.watts = watts
        self.broken = False

    def __call__(self) -> float:
        if self.broken:
            raise MeterError("sensor is broken")
        return self.watts


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sensor() -> Sensor:
    return Sensor(100)


@pytest.fixture
def polled(clock: ManualClock, sensor: Sensor):
    # Polled by hand: the thread's first own sample is an hour away.
    energy = PolledEnergy(sensor, monotonic_s=clock.monotonic_s, period_s=3600)
    yield energy
    energy.close()


def test_a_ramp_of_power_is_integrated_as_a_trapezoid(polled: PolledEnergy, clock: ManualClock, sensor: Sensor) -> None:
    assert polled.read_j() == 0
    clock.advance(2)
    sensor.watts = 300
    polled.sample()
    assert polled.read_j() == pytest.approx(400)


def test_a_missed_sample_is_an_error_once_and_the_gap_is_not_made_up(
    polled: PolledEnergy, clock: ManualClock, sensor: Sensor
) -> None:
    polled.read_j()
    clock.advance(1)
    polled.sample()
    sensor.broken = True
    clock.advance(1000)
    polled.sample()
    sensor.broken = False
    polled.sample()
    with pytest.raises(MeterError, match="broken"):
        polled.read_j()
    clock.advance(1)
    assert polled.read_j() == pytest.approx(200)


def test_the_thread_samples_by_itself_until_closed(clock: ManualClock) -> None:
    samples = threading.Semaphore(0)

    def power_w() -> float:
        samples.release()
        return 1.0

    energy = PolledEnergy(power_w, monotonic_s=clock.monotonic_s, period_s=0.0001)
    energy.read_j()
    for _ in range(4):  # one of them by the reading itself
        assert samples.acquire(timeout=60)
    energy.close()
    assert not [t for t in threading.enumerate() if t.name == "sprout-like power" and t.is_alive()]
