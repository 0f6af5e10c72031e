from __future__ import annotations

import logging

import pytest

from sprout_like.errors import MeterError
from sprout_like.meters import UNKNOWN, Accounts, NoMeter
from sprout_like.meters.testing import ManualClock


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and r.name == "sprout_like"]


@pytest.mark.parametrize("moment", ["open", "close", "between"])
def test_a_failed_reading_makes_the_window_unknown_and_warns_once(
    bench, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    bench.draw(gpu=1)
    if moment == "open":
        bench.meter.fail()
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10)
    bench.meter.fail()
    if moment == "between":
        bench.draw(seconds=30)
        bench.accounts.tick()
    if moment != "close":
        bench.meter.recover()
    assert window.close() is UNKNOWN
    assert len(warnings_in(caplog)) == 1
    bench.meter.recover()
    bench.draw(gpu=100)
    record = bench.closed()["gpu"]
    assert (record.requests_j, record.requests_n) == (0, 1)
    assert record.overhead_j + record.idle_j == record.counter_j == 111


def test_energy_between_two_good_readings_around_an_outage_is_overhead(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    bench.meter.fail()
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10)
    window.close()
    bench.draw(gpu=5)
    bench.meter.recover()
    good = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=3)
    assert good.close().energy_j == 3
    assert bench.parts_of(bench.closed()["gpu"]) == (3, 0, 15, 0)


def test_what_a_window_was_charged_before_a_failure_becomes_overhead(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10)
    bench.accounts.open(["gpu"], "other").close()  # a boundary, so that the 10 J are booked
    bench.meter.fail()
    assert window.close() is UNKNOWN
    bench.meter.recover()
    assert bench.parts_of(bench.closed()["gpu"]) == (0, 0, 10, 0)


def test_one_failing_device_makes_the_whole_window_unknown_but_not_the_other_s(bench) -> None:
    both = bench.accounts.open(["gpu", "cpu"], "ledger")
    bench.draw(gpu=10, cpu=4)
    bench.meter.fail()
    gpu = bench.accounts.open(["gpu"], "ledger")
    bench.meter.recover()
    assert both.close() is UNKNOWN
    assert gpu.close() is UNKNOWN
    cpu = bench.accounts.open(["cpu"], "ledger")
    bench.draw(cpu=2)
    assert cpu.close().energy_j == 2
    written = bench.closed()
    assert bench.parts_of(written["cpu"]) == (2, 0, 4, 0)
    assert bench.parts_of(written["gpu"]) == (0, 0, 10, 0)


def test_each_outage_is_warned_of_once(bench, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        bench.meter.fail()
        for _ in range(3):
            bench.accounts.open(["gpu"], "ledger").close()
        bench.meter.recover()
        bench.accounts.open(["gpu"], "ledger").close()
    assert len(warnings_in(caplog)) == 2


@pytest.mark.parametrize("error", [OSError("bus error"), KeyError("gpu"), MeterError("no")])
def test_no_fault_of_a_meter_reaches_the_caller(bench, error: Exception) -> None:
    bench.meter.fail(error)
    assert bench.accounts.open(["gpu"], "ledger").close() is UNKNOWN


@pytest.mark.parametrize("joules", [float("nan"), float("inf")])
def test_a_reading_that_is_no_number_is_a_failure(bench, joules: float) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    bench.meter.draw("gpu", joules)
    assert window.close() is UNKNOWN


def test_a_counter_that_falls_makes_the_window_unknown_and_no_energy_negative(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=-1000)
    assert window.close() is UNKNOWN
    bench.draw(gpu=6)
    later = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=3)
    assert later.close().energy_j == 3
    record = bench.closed()["gpu"]
    assert bench.parts_of(record) == (3, 0, 6, 0)
    assert record.counter_j == 9


def test_a_meter_that_is_down_when_the_period_ends_does_not_lose_the_account(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=4)
    window.close()
    bench.draw(gpu=2)
    bench.meter.fail()
    assert bench.parts_of(bench.closed()["gpu"]) == (4, 0, 0, 0)
    bench.meter.recover()
    assert bench.parts_of(bench.closed()["gpu"]) == (0, 0, 2, 0)


def test_a_device_that_the_meter_does_not_have_is_an_error(bench) -> None:
    with pytest.raises(MeterError, match="GPU-unknown"):
        bench.accounts.open(["GPU-unknown"])


def test_without_devices_the_energy_is_unknown() -> None:
    clock = ManualClock()
    window = Accounts(NoMeter(), clock=clock).open(())
    window.pause()
    clock.advance(2)
    window.resume()
    assert window.close() is UNKNOWN
    assert window.paused_s == 2
