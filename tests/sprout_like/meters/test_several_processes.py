"""Real processes on one device: on a GPU whose NVML is scripted, and on the CPU that they really use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sprout_like.meters.testing import FakeNvmlFile

WORKER = """
import dataclasses, json, os, sys, time
from pathlib import Path
from sprout_like.clock import SystemClock
from sprout_like.meters import AccountsRegistry, CpuModelMeter, MeterOptions, NvmlMeter
from sprout_like.meters.host import open_host
from sprout_like.meters.testing import FakeNvmlFile

kind, folder = sys.argv[1], Path(sys.argv[2])
if kind == "gpu":
    meter = NvmlMeter(nvml=FakeNvmlFile(folder / "gpu.json"), pid=os.getpid)
else:
    meter = CpuModelMeter(components=("cpu",), watts_per_busy_core=10.0)
registry = AccountsRegistry(open_host(folder / "claims"))
os.register_at_fork(after_in_child=registry.restart)  # as the package does with its own
accounts = registry.accounts(meter, options=MeterOptions(), clock=SystemClock(), period_s=300)
device, records, window = meter.devices[0].id, [], None
accounts.attach(records.append, owner="ledger")

def answer(command, argument):
    global window
    if command == "open":
        window = accounts.open([device], "ledger")
    elif command == "close":
        return dataclasses.asdict(window.close())
    elif command == "spin":
        until_s = time.process_time() + argument
        while time.process_time() < until_s:
            pass
    elif command == "period":
        accounts.close_period()
        found = [{k: v for k, v in r.as_dict().items() if not k.endswith("_utc")} for r in records]
        records.clear()
        return found
    elif command == "fork":
        pid = os.fork()
        if pid == 0:
            answer("open", None)
            os._exit(0 if answer("close", None)["energy_j"] == 0 else 1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return None

print(os.getpid(), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
"""


class Worker:
    """A process that meters, and does as it is told."""

    def __init__(self, kind: str, folder: Path) -> None:
        command = [sys.executable, "-W", "error", "-c", WORKER, kind, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """Its id, once it is up."""
        if self._pid is None:
            self._pid = int(self.process.stdout.readline())
        return self._pid

    def begin(self, command: str, argument: float | None = None) -> None:
        self.process.stdin.write(f"{json.dumps([command, argument])}\n")
        self.process.stdin.flush()

    def end(self) -> Any:
        line = self.process.stdout.readline()
        assert line, "the worker died"
        return json.loads(line)

    def do(self, command: str, argument: float | None = None) -> Any:
        assert self.pid
        self.begin(command, argument)
        return self.end()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., list[Worker]]]:
    started: list[Worker] = []

    def workers(kind: str, number: int) -> list[Worker]:
        started.extend(Worker(kind, tmp_path) for _ in range(number))
        return started[-number:]

    yield workers
    for worker in started:
        worker.kill()
        worker.process.stdin.close()
        worker.process.stdout.close()


@pytest.fixture
def nvml(tmp_path: Path) -> FakeNvmlFile:
    return FakeNvmlFile(tmp_path / "gpu.json")


def draw(nvml: FakeNvmlFile, joules: float) -> None:
    nvml.gpu.draw(joules)
    nvml.write()


def totals(*accounts: dict[str, Any]) -> dict[str, float]:
    names = ("counter_j", "requests_j", "elsewhere_j", "overhead_j", "idle_j")
    return {name: pytest.approx(sum(account[name] for account in accounts)) for name in names}


def test_two_processes_and_a_stranger_divide_a_gpu_as_the_driver_tells(start, nvml: FakeNvmlFile) -> None:
    a, b = start("gpu", 2)
    nvml.gpu.busy = {a.pid: 50, b.pid: 30, 1: 20}
    nvml.write()
    for worker in (a, b):
        worker.do("open")
    draw(nvml, 100)
    energies = [worker.do("close") for worker in (a, b)]

    assert [energy["energy_j"] for energy in energies] == pytest.approx([50, 30])
    assert {energy["method"] for energy in energies} == {"apportioned"}
    assert energies[0]["uncertainty_j"] > 0.2 * 50
    assert totals(*a.do("period"), *b.do("period")) == {
        "counter_j": 100, "requests_j": 80, "elsewhere_j": 20, "overhead_j": 0, "idle_j": 0,
    }  # fmt: skip


def test_who_is_alone_is_measured_and_idle_energy_is_booked_once(start, nvml: FakeNvmlFile) -> None:
    a, b = start("gpu", 2)
    a.do("open")
    draw(nvml, 100)
    assert a.do("close")["method"] == "measured"
    b.do("open")
    assert b.do("close")["energy_j"] == 0
    draw(nvml, 40)
    assert totals(*a.do("period"), *b.do("period")) == {
        "counter_j": 140, "requests_j": 100, "elsewhere_j": 0, "overhead_j": 0, "idle_j": 40,
    }  # fmt: skip


def test_who_joins_late_shares_from_then_on(start, nvml: FakeNvmlFile) -> None:
    a, b = start("gpu", 2)
    a.do("open")
    draw(nvml, 100)
    b.do("open")
    draw(nvml, 60)
    first = a.do("close")
    draw(nvml, 10)
    second = b.do("close")

    assert (first["energy_j"], second["energy_j"]) == (pytest.approx(130), pytest.approx(40))
    assert (first["method"], second["method"]) == ("apportioned", "apportioned")
    assert totals(*a.do("period"), *b.do("period"))["counter_j"] == 170


def test_what_a_killed_process_held_is_released_and_no_row_s(start, nvml: FakeNvmlFile) -> None:
    a, b = start("gpu", 2)
    b.do("open")
    draw(nvml, 8)
    b.do("close")
    for worker in (a, b):
        worker.do("open")
    draw(nvml, 100)
    b.kill()
    time.sleep(0.15)  # within 0.1 s nobody looks
    energy = a.do("close")
    a.do("open")
    draw(nvml, 30)
    alone = a.do("close")
    draw(nvml, 5)

    assert energy["energy_j"] == pytest.approx(50), "what was drawn before anybody knew"
    assert (alone["energy_j"], alone["method"]) == (pytest.approx(30), "measured")
    assert totals(*a.do("period")) == {
        # Its request that had ended is in a row; that which had not is overhead.
        "counter_j": 143, "requests_j": 80, "elsewhere_j": 8, "overhead_j": 50, "idle_j": 5,
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_a_process_of_its_own(start, nvml: FakeNvmlFile) -> None:
    (a,) = start("gpu", 1)
    a.do("open")
    draw(nvml, 100)
    assert a.do("fork") == 0, "the child took over its parent's window, or could not take its turn"
    assert a.do("close")["energy_j"] == pytest.approx(100)


def cpu_s(pid: int) -> float:
    """CPU time of another process, by the kernel's own clock of it (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the CPU clocks of other processes")
def test_processes_share_the_cpu_as_the_kernel_tells_and_add_up_to_it(start) -> None:
    loads_s = (0.1, 0.2, 0.3)
    workers = start("cpu", 3)
    for worker in workers:
        worker.do("open")
    before_s = sum(cpu_s(worker.pid) for worker in workers)
    for worker, load_s in zip(workers, loads_s, strict=True):
        worker.begin("spin", load_s)
    for worker in workers:
        worker.end()
    energies_j = [worker.do("close")["energy_j"] for worker in workers]
    counter_j = 10.0 * (sum(cpu_s(worker.pid) for worker in workers) - before_s)

    shares = [energy_j / sum(energies_j) for energy_j in energies_j]
    assert shares == pytest.approx([load_s / sum(loads_s) for load_s in loads_s], rel=0.15)
    assert sum(energies_j) == pytest.approx(counter_j, rel=0.01)
    accounts = [account for worker in workers for account in worker.do("period")]
    assert totals(*accounts)["counter_j"] == pytest.approx(counter_j, rel=0.01)
