from __future__ import annotations

import os

import pynvml
import pytest

from sprout_like.errors import MeterError, MeterUnavailable
from sprout_like.meters import NvmlMeter
from sprout_like.meters.nvml_survey import own_pid
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
    assert meter.read_j(["GPU-bbbb", "GPU-aaaa"]) == {"GPU-aaaa": 0.0, "GPU-bbbb": 7.0}


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
    assert meter.read_j(["GPU-aaaa"])["GPU-aaaa"] == pytest.approx(5)


def test_a_counter_that_goes_back_is_an_error_once_and_never_a_negative_energy() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa")
    meter = NvmlMeter(nvml=FakeNvml(gpu))
    gpu.draw(20)
    before = meter.read_j(["GPU-aaaa"])["GPU-aaaa"]
    gpu.energy_mj = 1000
    with pytest.raises(MeterError, match="went back"):
        meter.read_j(["GPU-aaaa"])
    gpu.draw(4)
    assert meter.read_j(["GPU-aaaa"])["GPU-aaaa"] == pytest.approx(before + 4)


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
    gpu.draw(700)
    readings = meter.read_j([small.id, large.id])
    assert readings == pytest.approx({"MIG-1": 100, "MIG-3": 300})


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


def test_one_instance_s_reset_is_also_the_other_s() -> None:
    gpu = FakeGpu(uuid="GPU-aaaa", mig=[FakeMigInstance(uuid="MIG-1"), FakeMigInstance(uuid="MIG-2")])
    meter = NvmlMeter(nvml=FakeNvml(gpu))
    gpu.energy_mj = 0
    for device_id in ("MIG-1", "MIG-2"):
        with pytest.raises(MeterError, match="went back"):
            meter.read_j([device_id])


@pytest.mark.parametrize(
    ("pid", "pids", "method"),
    [
        (100, [], "measured"),
        (100, [100], "measured"),
        (100, [100, 200], "estimated"),
        (100, [200], "estimated"),
        # In a container ids are translated: a single process may be us.
        (None, [4711], "measured"),
        (None, [4711, 4712], "estimated"),
    ],
)
def test_a_gpu_on_which_others_compute_is_an_estimate(pid: int | None, pids: list[int], method: str) -> None:
    device = only_device(NvmlMeter(nvml=FakeNvml(FakeGpu(uuid="GPU-aaaa", pids=pids)), pid=lambda: pid))
    assert device.method == method
    assert device.relative_error == (1.0 if method == "estimated" else 0.05)
    assert ("shared" in device.name) == (method == "estimated")


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
