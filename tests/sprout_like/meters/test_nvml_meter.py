from __future__ import annotations

import os

import pynvml
import pytest

from sprout_like.errors import MeterError, MeterUnavailable
from sprout_like.meters import NvmlMeter
from sprout_like.meters.meter import ProcessUse
from sprout_like.meters.nvml_use import own_pid
from sprout_like.meters.testing import FakeGpu, FakeMigInstance, FakeNvml, ManualClock


def only_device(meter: NvmlMeter):
    (device,) = meter.devices
    return device


def test_a_gpu_with_a_counter_is_measured_in_joules() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", name="NVIDIA H200")
    meter = NvmlMeter(nvml=FakeNvml(gpu))
    device = only_device(meter)
    assert (device.id, device.name, device.component) == ("GPU-aaaa", "NVIDIA H200", "gpu")
    assert (device.method, device.tick_s, device.relative_error) == ("measured", 0.1, 0.05)
    before = meter.read_j(["GPU-aaaa"])["GPU-aaaa"]
    gpu.draw(12.5)
    assert meter.read_j(["GPU-aaaa"])["GPU-aaaa"] - before == pytest.approx(12.5)


def test_several_gpus_are_told_apart_by_uuid() -> None:
    first, second = FakeGpu(uuid="GPU-aaaa"), FakeGpu(uuid="GPU-bbbb")
    meter = NvmlMeter(nvml=FakeNvml(first, second))
    second.draw(7)
    assert meter.read_j(["GPU-bbbb", "GPU-aaaa"]) == {"GPU-aaaa": 5000.0, "GPU-bbbb": 5007.0}


@pytest.mark.parametrize("given", ["GPU-BBBB", "GPU-bbbb", "bbbb"])
def test_a_gpu_is_chosen_by_its_uuid_with_or_without_prefix(given: str) -> None:
    meter = NvmlMeter([given], nvml=FakeNvml(FakeGpu(uuid="GPU-aaaa"), FakeGpu(uuid="GPU-bbbb")))
    assert only_device(meter).id == "GPU-bbbb"


def test_a_gpu_that_is_not_there_is_an_error_that_lists_those_that_are() -> None:
    nvml = FakeNvml(FakeGpu(uuid="GPU-aaaa"))
    with pytest.raises(MeterUnavailable, match=r"GPU-cccc .*does not show it.*GPU-aaaa"):
        NvmlMeter(["GPU-cccc"], nvml=nvml)
    assert nvml.users == 0, "NVML was left open"


def test_without_a_driver_the_error_says_what_to_do() -> None:
    with pytest.raises(MeterUnavailable, match="driver") as caught:
        NvmlMeter(nvml=FakeNvml(driver=False))
    assert "nvidia-smi" in caught.value.fix


def test_without_any_usable_gpu_nvml_is_closed_again() -> None:
    nvml = FakeNvml(FakeGpu(uuid="GPU-aaaa", energy_mj=None, power_mw=None))
    with pytest.raises(MeterUnavailable, match="GPU-aaaa"):
        NvmlMeter(nvml=nvml)
    assert nvml.users == 0


def test_a_gpu_that_is_lost_is_skipped_and_the_others_are_read() -> None:
    meter = NvmlMeter(nvml=FakeNvml(FakeGpu(uuid="GPU-aaaa", lost=True), FakeGpu(uuid="GPU-bbbb")))
    assert only_device(meter).id == "GPU-bbbb"
    assert "GPU-aaaa" in meter.skipped


def test_without_a_counter_the_power_is_integrated_and_called_an_estimate() -> None:
    clock = ManualClock()
    gpu = FakeGpu(uuid="GPU-aaaa", energy_mj=None, power_mw=200_000)
    meter = NvmlMeter(nvml=FakeNvml(gpu), monotonic_s=clock.monotonic_s)
    try:
        device = only_device(meter)
        assert (device.method, device.relative_error) == ("estimated", 0.10)
        meter.read_j([device.id])
        clock.advance(3)
        assert meter.read_j([device.id])[device.id] == pytest.approx(600)
    finally:
        meter.close()


def test_a_power_sensor_that_fails_is_a_meter_error() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", energy_mj=None)
    meter = NvmlMeter(nvml=FakeNvml(gpu), monotonic_s=ManualClock().monotonic_s)
    try:
        gpu.lost = True
        with pytest.raises(MeterError, match="power of GPU-aaaa"):
            meter.read_j(["GPU-aaaa"])
    finally:
        meter.close()


def test_a_reading_that_nvml_refuses_is_a_meter_error_and_the_next_may_succeed() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa")
    meter = NvmlMeter(nvml=FakeNvml(gpu))
    gpu.lost = True
    with pytest.raises(MeterError, match="GPU-aaaa"):
        meter.read_j(["GPU-aaaa"])
    gpu.lost = False
    gpu.draw(5)
    assert meter.read_j(["GPU-aaaa"])["GPU-aaaa"] == pytest.approx(5005)


def test_every_process_reads_the_same_counter() -> None:
    nvml = FakeNvml(FakeGpu(uuid="GPU-aaaa"))
    early = NvmlMeter(nvml=nvml)
    nvml.gpus[0].draw(20)
    assert NvmlMeter(nvml=nvml).read_j(["GPU-aaaa"]) == early.read_j(["GPU-aaaa"])
    assert only_device(early).machine_wide


def test_a_mig_instance_gets_its_share_of_multiprocessors_with_an_honest_error() -> None:
    gpu = FakeGpu(
        uuid="GPU-aaaa",
        multiprocessors=98,
        mig=[
            FakeMigInstance(uuid="MIG-1", multiprocessors=14),
            None,
            FakeMigInstance(uuid="MIG-3", multiprocessors=42),
        ],
    )
    meter = NvmlMeter(nvml=FakeNvml(gpu))
    small, large = meter.devices
    assert (small.id, small.method) == ("MIG-1", "apportioned")
    assert small.relative_error == pytest.approx(6), "the other six sevenths may really have been ours"
    before = meter.read_j([small.id, large.id])
    gpu.draw(700)
    after = meter.read_j([small.id, large.id])
    assert {i: after[i] - before[i] for i in after} == pytest.approx({"MIG-1": 100, "MIG-3": 300})


@pytest.mark.parametrize("given", ["MIG-1", "1"])
def test_a_mig_instance_is_chosen_by_its_own_uuid(given: str) -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1"), FakeMigInstance(uuid="MIG-2")])
    assert only_device(NvmlMeter([given], nvml=FakeNvml(gpu))).id == "MIG-1"


def test_a_mig_instance_whose_share_is_not_told_is_refused_rather_than_guessed() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1", multiprocessors=None)])
    with pytest.raises(MeterUnavailable, match="MIG share"):
        NvmlMeter(["MIG-1"], nvml=FakeNvml(gpu))


def test_a_gpu_with_mig_enabled_is_not_metered_as_a_whole() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1")])
    with pytest.raises(MeterUnavailable, match=r"MIG is enabled.*MIG-1"):
        NvmlMeter(["GPU-aaaa"], nvml=FakeNvml(gpu))


def test_the_driver_tells_who_uses_a_gpu() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", busy={100: 60, 200: 20, 300: 4_000_000})
    meter = NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: 100)
    assert meter.process_use("GPU-aaaa", 0.0) == ProcessUse(busy={100: 0.6, 200: 0.2})
    gpu.busy = {}
    assert meter.process_use("GPU-aaaa", 0.0) == ProcessUse(busy={})


@pytest.mark.parametrize(("span_s", "found"), [(0.0, {}), (5.0, {100: 0.6}), (60.0, {})])
def test_figures_of_processes_are_of_the_last_seconds(span_s: float, found: dict[int, float]) -> None:
    """A second is asked for at least, and ten at most."""
    gpu = FakeGpu(uuid="GPU-aaaa", busy={100: 60}, sampled_us=1_000_000_000 if found else 980_000_000)
    meter = NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: 100, unix_s=lambda: 1003.0)
    assert meter.process_use("GPU-aaaa", span_s).busy == found


@pytest.mark.parametrize(
    ("pid", "gpu"),
    [
        # In a container ids are translated, and cannot be told to be ours.
        (None, FakeGpu(uuid="GPU-aaaa", busy={100: 60}, pids=[100, 200])),
        (100, FakeGpu(uuid="GPU-aaaa", busy=None, pids=[100, 200])),
    ],
)
def test_where_the_driver_does_not_tell_who_it_tells_how_many(pid: int | None, gpu: FakeGpu) -> None:
    meter = NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: pid)
    assert meter.process_use("GPU-aaaa", 0.0) == ProcessUse(processes_n=2)
    gpu.lost = True
    assert meter.process_use("GPU-aaaa", 0.0) == ProcessUse()


def test_a_mig_instance_tells_how_many_processes_hold_it() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1", pids=[7]), FakeMigInstance(uuid="MIG-2")])
    meter = NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: 100)
    assert [meter.process_use(i, 0.0).processes_n for i in ("MIG-1", "MIG-2")] == [1, 0]


def test_our_pid_is_known_or_said_to_be_unknown() -> None:
    assert own_pid() in (os.getpid(), None)


def test_the_real_binding_has_every_name_the_fake_has() -> None:
    names = [name for name in dir(FakeNvml) if name.startswith(("nvml", "NVML"))]
    assert len(names) > 15
    assert [name for name in names if not hasattr(pynvml, name)] == []


def test_the_real_binding_says_why_it_cannot_be_used_or_works() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        with pytest.raises(MeterUnavailable, match="nvidia-smi"):
            NvmlMeter()
    else:
        pynvml.nvmlShutdown()
        meter = NvmlMeter()
        meter.read_j([device.id for device in meter.devices])
        meter.close()
