"""What every meter must do, whoever counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from sprout_like.errors import MeterError
from sprout_like.meters import CpuModelMeter, Meter, NoMeter, NvmlMeter, RaplMeter, SumMeter
from sprout_like.meters.meter import METHODS
from sprout_like.meters.testing import (
    FakeGpu,
    FakeMeter,
    FakeMigInstance,
    FakeNvml,
    FakeRapl,
    ManualClock,
    fake_device,
)


@dataclass
class Case:
    """A meter, and how to make all its devices draw something."""

    meter: Meter
    work: Callable[[], None]


def fake(tmp_path: Path) -> Case:
    clock = ManualClock()
    meter = FakeMeter([fake_device("a"), fake_device("b", component="dram")], clock=clock, watts=10)
    return Case(meter, lambda: clock.advance(1))


def cpu_model(tmp_path: Path) -> Case:
    clock = ManualClock()
    meter = CpuModelMeter(process_cpu_s=clock.monotonic_s, rss_bytes=lambda: 2 * 1024**3, monotonic_s=clock.monotonic_s)
    return Case(meter, lambda: clock.advance(1))


def rapl(tmp_path: Path) -> Case:
    clock = ManualClock()
    tree = FakeRapl(tmp_path, packages=2)
    meter = RaplMeter(tmp_path, process_cpu_s=clock.monotonic_s, machine_cpu_s=lambda: 2 * clock.monotonic_s())

    def work() -> None:
        clock.advance(1)
        for domain in ("intel-rapl:0", "intel-rapl:0:1", "intel-rapl:1", "intel-rapl:1:1"):
            tree.draw(domain, 40)

    return Case(meter, work)


def nvml_counter(tmp_path: Path) -> Case:
    gpus = [FakeGpu(uuid="GPU-aaaa"), FakeGpu(uuid="GPU-bbbb")]

    def work() -> None:
        for gpu in gpus:
            gpu.draw(30)

    return Case(NvmlMeter(nvml=FakeNvml(*gpus)), work)


def nvml_polled(tmp_path: Path) -> Case:
    clock = ManualClock()
    meter = NvmlMeter(nvml=FakeNvml(FakeGpu(uuid="GPU-aaaa", energy_mj=None)), monotonic_s=clock.monotonic_s)
    return Case(meter, lambda: clock.advance(1))


def nvml_mig(tmp_path: Path) -> Case:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1"), None, FakeMigInstance(uuid="MIG-2")])
    return Case(NvmlMeter(nvml=FakeNvml(gpu)), lambda: gpu.draw(30))


def summed(tmp_path: Path) -> Case:
    gpu, cpu = nvml_counter(tmp_path), rapl(tmp_path)

    def work() -> None:
        gpu.work()
        cpu.work()

    return Case(SumMeter(gpu.meter, cpu.meter), work)


def nothing(tmp_path: Path) -> Case:
    return Case(NoMeter(), lambda: None)


@pytest.fixture(
    params=[fake, cpu_model, rapl, nvml_counter, nvml_polled, nvml_mig, summed, nothing], ids=lambda make: make.__name__
)
def case(request: pytest.FixtureRequest, tmp_path: Path):
    made = request.param(tmp_path)
    yield made
    made.meter.close()


def ids_of(meter: Meter) -> list[str]:
    return [device.id for device in meter.devices]


def test_is_a_meter_with_a_name_and_well_described_devices(case: Case) -> None:
    assert isinstance(case.meter, Meter)
    assert case.meter.name
    assert len(set(ids_of(case.meter))) == len(case.meter.devices)
    for device in case.meter.devices:
        assert device.name
        assert device.component in ("gpu", "cpu", "dram")
        assert device.method in METHODS[:-1]
        assert device.tick_s >= 0
        assert device.relative_error >= 0


def test_counts_up_while_work_is_done_and_never_falls(case: Case) -> None:
    ids = ids_of(case.meter)
    first = last = case.meter.read_j(ids)
    for _ in range(5):
        case.work()
        now = case.meter.read_j(ids)
        assert all(now[i] >= last[i] and math.isfinite(now[i]) for i in ids)
        last = now
    assert all(last[i] > first[i] for i in ids)


def test_stands_still_where_nothing_is_drawn(case: Case) -> None:
    ids = ids_of(case.meter)
    case.meter.read_j(ids)
    case.work()
    assert case.meter.read_j(ids) == case.meter.read_j(ids)


def test_reads_just_the_devices_asked_for(case: Case) -> None:
    for device_id in ids_of(case.meter):
        assert set(case.meter.read_j([device_id])) == {device_id}
    assert case.meter.read_j([]) == {}


def test_a_device_read_alone_loses_nothing(case: Case) -> None:
    ids = ids_of(case.meter)
    start = case.meter.read_j(ids)
    case.work()
    alone = {device_id: case.meter.read_j([device_id])[device_id] for device_id in ids}
    assert alone == case.meter.read_j(ids)
    assert all(alone[i] > start[i] for i in ids)


def test_an_unknown_device_is_an_error_that_names_it(case: Case) -> None:
    with pytest.raises(MeterError, match="no-such-device"):
        case.meter.read_j([*ids_of(case.meter), "no-such-device"])


def test_reads_on_any_thread(case: Case) -> None:
    ids = ids_of(case.meter)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(case.meter.read_j, ids).result()
    here = case.meter.read_j(ids)
    assert all(here[i] >= there[i] for i in ids)


def test_close_may_be_called_twice(case: Case) -> None:
    case.meter.close()
    case.meter.close()
