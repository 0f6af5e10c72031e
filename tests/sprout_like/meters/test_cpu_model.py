from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from sprout_like.errors import MeterError
from sprout_like.meters import CpuModelMeter
from sprout_like.meters.cpu_model import process_rss_bytes
from sprout_like.meters.testing import ManualClock


def test_cpu_seconds_times_watts() -> None:
    cpu_s = [2.0]
    meter = CpuModelMeter(watts_per_busy_core=4, process_cpu_s=lambda: cpu_s[0])
    before = meter.read_j(["cpu:process"])["cpu:process"]
    cpu_s[0] += 1.5
    assert meter.read_j(["cpu:process"])["cpu:process"] - before == pytest.approx(6)


def test_resident_memory_times_watts_times_time_by_the_trapezoid() -> None:
    clock, rss = ManualClock(), [1 * 1024**3]
    meter = CpuModelMeter(dram_watts_per_gib=0.4, rss_bytes=lambda: rss[0], monotonic_s=clock.monotonic_s)
    assert meter.read_j(["dram:process"]) == {"dram:process": 0}
    clock.advance(10)
    rss[0] = 3 * 1024**3
    assert meter.read_j(["dram:process"])["dram:process"] == pytest.approx(0.4 * 2 * 10)


def test_the_default_memory_power_is_three_watts_per_eight_decimal_gigabytes() -> None:
    clock = ManualClock()
    meter = CpuModelMeter(rss_bytes=lambda: 8 * 10**9, monotonic_s=clock.monotonic_s)
    meter.read_j(["dram:process"])
    clock.advance(1)
    assert meter.read_j(["dram:process"])["dram:process"] == pytest.approx(3)


def test_everything_it_says_is_an_estimate_with_a_wide_error() -> None:
    for device in CpuModelMeter().devices:
        assert device.method == "estimated"
        assert device.relative_error >= 0.5


def test_memory_alone_goes_beside_a_cpu_counter() -> None:
    meter = CpuModelMeter(components=("dram",))
    assert [d.id for d in meter.devices] == ["dram:process"]
    assert meter.name == "dram"
    with pytest.raises(MeterError, match="cpu:process"):
        meter.read_j(["cpu:process"])


def test_memory_that_cannot_be_read_is_a_meter_error() -> None:
    def unreadable() -> int:
        raise PermissionError(13, "Permission denied", "/proc/self/statm")

    with pytest.raises(MeterError, match="statm"):
        CpuModelMeter(rss_bytes=unreadable).read_j(["dram:process"])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_resident_memory_is_that_of_this_process() -> None:
    assert process_rss_bytes() == pytest.approx(psutil.Process(os.getpid()).memory_info().rss, rel=0.2)
