"""Whatever processes of a host do, and whenever they die: their accounts of one counter add up to it."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sprout_like.meters import UNKNOWN, Accounts, Energy, Window
from sprout_like.meters.host import Host
from sprout_like.meters.meter import ProcessUse
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.record import AccountRecord

STRANGER = 99
PIDS = st.sampled_from([1, 2, 3])


class UsedMeter(FakeMeter):
    """A GPU that all processes read, and of which the driver tells what it is told to."""

    use = ProcessUse()

    def process_use(self, device_id: str, span_s: float) -> ProcessUse:
        return self.use


class Process:
    """One process: its accounts, and the windows it has open."""

    def __init__(self, pid: int, host: Host, meter: FakeMeter, clock: ManualClock) -> None:
        ids = itertools.count()
        self.accounts = Accounts(
            meter, clock=clock, period_s=60, host=host, new_id=lambda: f"{pid}-{id(self)}-{next(ids)}"
        )
        self.windows: list[Window] = []
        self.used = False


class HostMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.meter = UsedMeter([fake_device("gpu", component="gpu", machine_wide=True)], clock=self.clock)
        self.folder = tempfile.TemporaryDirectory()
        self.born: dict[int, int] = {}
        self.births = itertools.count(1)
        self.processes: dict[int, Process] = {}
        self.records: list[AccountRecord] = []
        self.charged: list[Energy] = []
        self.start(1)
        self.start(2)

    @rule(pid=PIDS)
    def start(self, pid: int) -> None:
        if pid not in self.processes:
            self.born[pid] = next(self.births)
            host = Host(Path(self.folder.name), pid=lambda: pid, born_of=self.born.get)
            self.processes[pid] = process = Process(pid, host, self.meter, self.clock)
            process.accounts.attach(self.records.append, owner="ledger")

    @rule(joules=st.floats(0, 1e5))
    def draw(self, joules: float) -> None:
        self.meter.draw("gpu", joules)

    @rule(seconds=st.sampled_from([0.01, 0.7, 2.0, 31.0, 61.0, 3600.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(busy=st.none() | st.dictionaries(PIDS | st.just(STRANGER), st.floats(0.01, 1)), n=st.integers(0, 6))
    def work(self, busy: dict[int, float] | None, n: int) -> None:
        self.meter.use = ProcessUse(busy=busy, processes_n=n if busy is None else None)

    @rule(pid=PIDS)
    def open(self, pid: int) -> None:
        if pid in self.processes:
            self.processes[pid].windows.append(self.processes[pid].accounts.open(["gpu"], "ledger"))
            self.processes[pid].used = True

    @rule(pid=PIDS, index=st.integers(0))
    def close(self, pid: int, index: int) -> None:
        process = self.processes.get(pid)
        if process is not None and process.windows:
            self.charged.append(process.windows.pop(index % len(process.windows)).close())

    @rule(pid=PIDS, joules=st.floats(1, 1e5))
    def serve(self, pid: int, joules: float) -> None:
        self.start(pid)
        self.open(pid)
        self.draw(joules)
        self.close(pid, -1)

    @rule(pid=PIDS, pause=st.booleans())
    def pause_or_resume(self, pid: int, pause: bool) -> None:
        process = self.processes.get(pid)
        if process is not None and process.windows:
            (process.windows[0].pause if pause else process.windows[0].resume)()

    @rule(pid=PIDS)
    def tick(self, pid: int) -> None:
        if pid in self.processes:
            self.processes[pid].accounts.tick()

    @rule(pid=PIDS)
    def close_period(self, pid: int) -> None:
        if pid in self.processes:
            self.processes[pid].accounts.close_period()

    @rule()
    def fail(self) -> None:
        self.meter.fail()

    @rule()
    def recover(self) -> None:
        self.meter.recover()

    @rule(joules=st.floats(1, 1e5))
    def reset(self, joules: float) -> None:
        self.meter.draw("gpu", -joules)

    @precondition(lambda self: sum(process.used for process in self.processes.values()) > 1)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """Not the last one that uses the device: what that leaves is in no account."""
        pid = data.draw(st.sampled_from([pid for pid, process in self.processes.items() if process.used]))
        del self.processes[pid], self.born[pid]

    @invariant()
    def every_account_adds_up(self) -> None:
        for record in self.records:
            parts = (record.requests_j, record.elsewhere_j, record.overhead_j, record.idle_j)
            assert min(parts) >= 0
            assert abs(sum(parts) - record.counter_j) <= 1e-6 * max(1.0, record.counter_j)

    @invariant()
    def no_joule_is_claimed_twice(self) -> None:
        claimed_j = sum(record.counter_j for record in self.records)
        assert claimed_j <= union_j(self.records) * (1 + 1e-9) + 1e-6

    @invariant()
    def a_share_says_so(self) -> None:
        for energy in self.charged:
            if energy is not UNKNOWN:
                assert energy.method in ("measured", "apportioned", "estimated")
                assert energy.uncertainty_j is not None
                assert energy.uncertainty_j >= 0

    def teardown(self) -> None:
        self.meter.recover()
        for process in self.processes.values():
            for window in process.windows:
                window.close()
        self.clock.advance(1)  # who was killed just now is found gone
        for process in self.processes.values():
            process.accounts.close_period()
        claimed_j = sum(record.counter_j for record in self.records)
        assert abs(claimed_j - union_j(self.records)) <= 1e-6 * max(1.0, claimed_j)
        self.folder.cleanup()


def union_j(records: list[AccountRecord]) -> float:
    """How much of the counter is in somebody's account."""
    total_j = end_j = 0.0
    for from_j, to_j in sorted((record.host_from_j, record.host_to_j) for record in records):
        total_j += max(to_j - max(from_j, end_j), 0.0)
        end_j = max(end_j, to_j)
    return total_j


HostMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestProcessesAddUp = HostMachine.TestCase
