from __future__ import annotations

from pathlib import Path

import pytest

from sprout_like.errors import MeterError, SettingError
from sprout_like.meters import MeterOptions, SumMeter, auto_meter, open_meter
from sprout_like.meters.testing import FakeGpu, FakeMeter, FakeNvml, FakeRapl, fake_device


def options(tmp_path: Path, *, gpu: bool = False, rapl: bool = False, dram: bool = True) -> MeterOptions:
    if rapl:
        FakeRapl(tmp_path, dram=dram)
    nvml = FakeNvml(FakeGpu(uuid="GPU-aaaa")) if gpu else FakeNvml(driver=False)
    return MeterOptions(rapl_root=tmp_path, nvml=nvml)


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ({}, "cpu"),
        ({"gpu": True}, "nvml+cpu"),
        ({"rapl": True}, "rapl"),
        ({"rapl": True, "dram": False}, "rapl+dram"),
        ({"gpu": True, "rapl": True}, "nvml+rapl"),
    ],
)
def test_auto_takes_the_best_the_machine_has(tmp_path: Path, machine: dict[str, bool], name: str) -> None:
    choice = auto_meter(options(tmp_path, **machine))
    assert choice.meter.name == name
    assert [a.name for a in choice.attempts if a.problem is None] == name.split("+")
    components = {device.component for device in choice.meter.devices}
    assert {"cpu", "dram"} <= components
    choice.meter.close()


def test_auto_tells_what_it_could_not_use_and_how_to_change_that(tmp_path: Path) -> None:
    choice = auto_meter(options(tmp_path))
    missing = {a.name: a for a in choice.attempts if a.problem is not None}
    assert set(missing) == {"nvml", "rapl"}
    assert all(a.fix for a in missing.values())


@pytest.mark.parametrize("name", ["auto", "nvml", "rapl", "cpu", "none", "nvml+rapl", "cpu+nvml"])
def test_meters_by_name(tmp_path: Path, name: str) -> None:
    meter = open_meter(name, options(tmp_path, gpu=True, rapl=True))
    assert meter.name == ("nvml+rapl" if name == "auto" else name)
    meter.close()


def test_a_meter_is_taken_as_it_is() -> None:
    meter = FakeMeter()
    assert open_meter(meter) is meter


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("wattmeter", "'wattmeter' names no meter.*nvml, rapl and cpu"),
        ("nvml+", "names no meter"),
        ("none+cpu", "names no meter"),
        ("auto+cpu", "names no meter"),
        ("rapl+cpu", "counts the CPU twice"),
        ("cpu+cpu", "both read cpu:process"),
        (42, "int is not a meter"),
    ],
)
def test_what_is_no_meter_is_a_setting_error(tmp_path: Path, spec, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        open_meter(spec, options(tmp_path, gpu=True, rapl=True))
    assert caught.value.setting == "meter"


def test_a_named_meter_that_this_machine_lacks_is_a_setting_error_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nvidia-smi"):
        open_meter("nvml", options(tmp_path))


def test_a_sum_that_fails_half_way_closes_what_it_opened(tmp_path: Path) -> None:
    given = options(tmp_path, gpu=True)
    with pytest.raises(SettingError, match="rapl"):
        open_meter("nvml+rapl", given)
    assert given.nvml.users == 0


def test_a_sum_refuses_to_count_a_device_twice() -> None:
    with pytest.raises(MeterError, match="both read fake:cpu"):
        SumMeter(FakeMeter(), FakeMeter())


def test_a_sum_reads_and_closes_its_parts() -> None:
    gpu, cpu = FakeMeter([fake_device("gpu", component="gpu")]), FakeMeter()
    both = SumMeter(gpu, cpu)
    gpu.draw("gpu", 3)
    cpu.draw("fake:cpu", 2)
    assert both.read_j(["fake:cpu", "gpu"]) == {"gpu": 3, "fake:cpu": 2}
    cpu.fail()
    with pytest.raises(MeterError):
        both.read_j(["fake:cpu", "gpu"])
    assert both.read_j(["gpu"]) == {"gpu": 3}, "a part that fails is no matter for the devices of the others"
    both.close()
    assert gpu.closed
    assert cpu.closed
