from __future__ import annotations

import pytest

from sprout_like.meters import charged_devices
from sprout_like.meters.testing import fake_device

GPU_A, GPU_B = fake_device("GPU-aaaa", component="gpu"), fake_device("GPU-bbbb", component="gpu")
CPU, DRAM = fake_device("cpu:process"), fake_device("dram:process", component="dram")


@pytest.mark.parametrize(
    ("devices", "sits_on", "charged"),
    [
        ((GPU_A, GPU_B, CPU, DRAM), ["cpu"], ("cpu:process", "dram:process")),
        ((GPU_A, GPU_B, CPU, DRAM), ["GPU-bbbb"], ("GPU-bbbb", "cpu:process", "dram:process")),
        ((GPU_A, GPU_B, CPU, DRAM), ["bbbb", "cpu"], ("GPU-bbbb", "cpu:process", "dram:process")),
        ((GPU_A, GPU_B), ["AAAA", "bbbb"], ("GPU-aaaa", "GPU-bbbb")),
        ((fake_device("MIG-cccc", component="gpu"),), ["cccc"], ("MIG-cccc",)),
    ],
)
def test_the_model_s_gpus_and_the_host_are_charged(devices, sits_on, charged) -> None:
    assert charged_devices(devices, sits_on) == charged


@pytest.mark.parametrize(
    ("devices", "sits_on"),
    [
        ((GPU_A, CPU, DRAM), ["GPU-bbbb"]),
        ((GPU_A, CPU, DRAM), ["GPU-aaaa", "GPU-bbbb"]),
        ((CPU, DRAM), ["cuda:0"]),
        ((GPU_A,), ["cpu"]),
        ((DRAM,), ["cpu"]),
        ((), ["cpu"]),
        ((CPU,), []),
    ],
)
def test_a_sum_with_a_part_missing_is_unknown(devices, sits_on) -> None:
    assert charged_devices(devices, sits_on) is None
