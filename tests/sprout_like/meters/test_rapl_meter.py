from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.errors import MeterError, MeterUnavailable
from sprout_like.meters import RaplMeter
from sprout_like.meters.rapl import machine_busy_s
from sprout_like.meters.testing import FakeRapl


class Cpu:
    """CPU seconds of the process and of the machine, set by hand."""

    def __init__(self) -> None:
        self.process_s = 50.0
        self.busy_s = 1000.0

    def run(self, ours: float, others: float = 0.0) -> None:
        self.process_s += ours
        self.busy_s += ours + others


@pytest.fixture
def cpu() -> Cpu:
    return Cpu()


def meter_of(root: Path, cpu: Cpu, **kwargs) -> RaplMeter:
    return RaplMeter(root, process_cpu_s=lambda: cpu.process_s, machine_cpu_s=lambda: cpu.busy_s, **kwargs)


def test_sockets_and_their_memory_are_devices_and_parts_of_them_are_not(tmp_path: Path, cpu: Cpu) -> None:
    FakeRapl(tmp_path, packages=2)
    devices = meter_of(tmp_path, cpu).devices
    assert {d.id: d.component for d in devices} == {
        "rapl:package-0": "cpu",
        "rapl:package-0:dram": "dram",
        "rapl:package-1": "cpu",
        "rapl:package-1:dram": "dram",
    }
    assert {d.method for d in devices} == {"apportioned"}


def test_the_process_is_charged_its_share_of_cpu_time(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    meter = meter_of(tmp_path, cpu)
    tree.draw("intel-rapl:0", 100)
    tree.draw("intel-rapl:0:1", 20)
    cpu.run(ours=1, others=3)
    assert meter.read_j(["rapl:package-0", "rapl:package-0:dram"]) == pytest.approx(
        {"rapl:package-0": 25, "rapl:package-0:dram": 5}
    )
    tree.draw("intel-rapl:0", 100)
    cpu.run(ours=0, others=3)
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == pytest.approx(25), "idle of ours is not charged"


def test_an_interval_without_a_tick_of_the_machine_s_clock_is_carried_into_the_next(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    meter = meter_of(tmp_path, cpu)
    tree.draw("intel-rapl:0", 3)
    cpu.process_s += 0.004
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == 0
    tree.draw("intel-rapl:0", 7)
    cpu.process_s += 0.001
    cpu.busy_s += 0.01
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == pytest.approx(5)


def test_the_parts_of_all_processes_are_the_counter(tmp_path: Path) -> None:
    """Two of ours and one that is not, each read at times of its own, while the power changes."""
    tree, cpus = FakeRapl(tmp_path), [Cpu() for _ in range(3)]
    meters = [meter_of(tmp_path, cpu) for cpu in cpus]
    ours_j = [0.0] * 3
    for step in range(300):
        used_s = (0.01 * (step % 3), 0.01 * (step % 5), 0.01 * (step % 2))
        tree.draw("intel-rapl:0", 5 * sum(used_s) * (1 + (step // 100) / 10))
        for cpu, own_s in zip(cpus, used_s, strict=True):
            cpu.process_s += own_s
            cpu.busy_s += sum(used_s)
        for number in range(3):
            if step % (number + 2) == 0 or step == 299:
                ours_j[number] = meters[number].read_j(["rapl:package-0"])["rapl:package-0"]
    drawn_j = int(tree.energy_file("intel-rapl:0").read_text()) / 1e6 - 1
    assert sum(ours_j) == pytest.approx(drawn_j, rel=0.01)


def test_more_than_all_of_a_socket_is_never_charged(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    meter = meter_of(tmp_path, cpu)
    tree.draw("intel-rapl:0", 3)
    cpu.process_s += 0.019  # ticks lag behind the process' own clock
    cpu.busy_s += 0.01
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == pytest.approx(3)


def test_a_process_clock_that_starts_anew_in_a_forked_child_charges_nothing_negative(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    meter = meter_of(tmp_path, cpu)
    tree.draw("intel-rapl:0", 3)
    cpu.process_s = 0.0
    cpu.busy_s += 1
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == 0


@given(st.lists(st.floats(0, 60), max_size=12))
@settings(max_examples=30, deadline=None)
def test_the_counter_may_wrap_at_any_time(tmp_path_factory: pytest.TempPathFactory, draws: list[float]) -> None:
    root = tmp_path_factory.mktemp("powercap")
    tree, cpu = FakeRapl(root, range_uj=65_000_000), Cpu()
    meter = meter_of(root, cpu)
    total_j = 0.0
    for joules in draws:
        tree.draw("intel-rapl:0", joules)
        cpu.run(ours=0.5)
        total_j += round(joules * 1e6) / 1e6
        assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == pytest.approx(total_j)


def test_a_counter_that_may_not_be_read_says_how_to_open_it(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    with pytest.raises(MeterUnavailable, match="energy_uj may not be read") as caught:
        meter_of(tmp_path, cpu, read_text=tree.reader(denied=["intel-rapl:0"]))
    assert "sudo chmod -R a+r /sys/class/powercap/intel-rapl`" in caught.value.fix
    assert "/etc/udev/rules.d/" in caught.value.fix


def test_no_rapl_at_all_says_where_there_is_some(tmp_path: Path, cpu: Cpu) -> None:
    with pytest.raises(MeterUnavailable, match="bare metal"):
        meter_of(tmp_path / "nowhere", cpu)


def test_a_tree_that_is_masked_is_unavailable(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    tree.energy_file("intel-rapl:0").unlink()
    tree.energy_file("intel-rapl:0").mkdir()  # what a container runtime's mask looks like
    with pytest.raises(MeterUnavailable, match="cannot be read"):
        meter_of(tmp_path, cpu)


def test_a_reading_that_fails_is_a_meter_error_and_the_next_loses_nothing(tmp_path: Path, cpu: Cpu) -> None:
    tree = FakeRapl(tmp_path)
    meter = meter_of(tmp_path, cpu)
    path = tree.energy_file("intel-rapl:0")
    kept = path.read_text()
    path.write_text("")
    with pytest.raises(MeterError, match="could not be read"):
        meter.read_j(["rapl:package-0"])
    path.write_text(kept)
    tree.draw("intel-rapl:0", 4)
    cpu.run(ours=1)
    assert meter.read_j(["rapl:package-0"])["rapl:package-0"] == pytest.approx(4)


def test_the_machine_s_busy_time_is_less_than_its_whole_time() -> None:
    times = psutil.cpu_times()
    assert 0 < machine_busy_s() <= sum(times) + 1.0
