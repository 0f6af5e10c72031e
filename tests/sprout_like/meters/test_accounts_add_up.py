"""However windows overlap, pause and fail, and whenever periods end: the parts add up to the counter."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sprout_like.meters import UNKNOWN, Accounts, Device, Energy, Window
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.record import AccountRecord

DEVICES = ("gpu0", "gpu1", "cpu")
OWNERS = ("a", "b", None)
SOME_DEVICES = st.sets(st.sampled_from(DEVICES), min_size=1).map(sorted)
TOLERANCE = 1e-9


def close_to(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


class NotingMeter(FakeMeter):
    """Keeps its own sum of what its counters rose by from reading to reading, as far as anybody saw it."""

    def __init__(self, devices: list[Device], *, clock: ManualClock) -> None:
        super().__init__(devices, clock=clock)
        self.rose_j: dict[str, float] = defaultdict(float)
        self._seen_j: dict[str, float] = {}

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        readings = super().read_j(device_ids)
        for device_id, joules in readings.items():
            self.rose_j[device_id] += max(joules - self._seen_j.get(device_id, joules), 0.0)
            self._seen_j[device_id] = joules
        return readings


class AccountsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.meter = NotingMeter([fake_device(i, tick_s=0.1, relative_error=0.05) for i in DEVICES], clock=self.clock)
        ids = itertools.count()
        self.accounts = Accounts(self.meter, clock=self.clock, period_s=60, new_id=lambda: str(next(ids)))
        self.records: dict[str, list[AccountRecord]] = {"a": [], "b": []}
        self.windows: list[Window] = []
        self.overheads: list[ExitStack] = []
        self.charged: list[tuple[str | None, Energy]] = []

    @initialize()
    def attach(self) -> None:
        for owner, records in self.records.items():
            self.accounts.attach(records.append, owner=owner)

    @rule(device=st.sampled_from(DEVICES), joules=st.floats(0, 1e5))
    def draw(self, device: str, joules: float) -> None:
        self.meter.draw(device, joules)

    @rule(seconds=st.sampled_from([0.01, 1.0, 31.0, 61.0, 3600.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-86_400.0, -3600.0, -0.5, 7200.0]))
    def set_clock(self, seconds: float) -> None:
        self.clock.set_forward(seconds)

    @rule(devices=SOME_DEVICES, owner=st.sampled_from(OWNERS))
    def open(self, devices: list[str], owner: str | None) -> None:
        self.windows.append(self.accounts.open(devices, owner))

    @rule(devices=SOME_DEVICES)
    def begin_overhead(self, devices: list[str]) -> None:
        stack = ExitStack()
        stack.enter_context(self.accounts.overhead(devices))
        self.overheads.append(stack)

    @rule(index=st.integers(0))
    def end_overhead(self, index: int) -> None:
        if self.overheads:
            self.overheads.pop(index % len(self.overheads)).close()

    @rule(index=st.integers(0))
    def close(self, index: int) -> None:
        if self.windows:
            window = self.windows.pop(index % len(self.windows))
            self.charged.append((window.owner, window.close()))

    @rule(index=st.integers(0), pause=st.booleans())
    def pause_or_resume(self, index: int, pause: bool) -> None:
        if self.windows:
            window = self.windows[index % len(self.windows)]
            (window.pause if pause else window.resume)()

    @rule()
    def fail(self) -> None:
        self.meter.fail()

    @rule()
    def recover(self) -> None:
        self.meter.recover()

    @rule(device=st.sampled_from(DEVICES), joules=st.floats(1, 1e5))
    def fall(self, device: str, joules: float) -> None:
        self.meter.draw(device, -joules)

    @rule()
    def tick(self) -> None:
        self.accounts.tick()

    @rule()
    def close_period(self) -> None:
        self.accounts.close_period()

    @invariant()
    def every_account_adds_up(self) -> None:
        for record in itertools.chain(*self.records.values()):
            parts = (record.requests_j, record.elsewhere_j, record.overhead_j, record.idle_j)
            assert all(part >= 0 for part in (*parts, record.counter_j))
            assert close_to(sum(parts), record.counter_j), record
            assert record.started_utc <= record.ended_utc

    @invariant()
    def every_energy_adds_up_or_is_unknown(self) -> None:
        for _, energy in self.charged:
            if energy is UNKNOWN:
                continue
            assert energy.energy_j is not None
            assert energy.energy_j >= 0
            assert close_to(sum(energy.by_device_j.values()), energy.energy_j)
            assert close_to((energy.gpu_j or 0) + (energy.cpu_j or 0) + (energy.dram_j or 0), energy.energy_j)
            assert energy.method in ("measured", "apportioned")
            assert energy.uncertainty_j is None or energy.uncertainty_j > 0

    def teardown(self) -> None:
        self.meter.recover()
        for stack in self.overheads:
            stack.close()
        self.charged += [(window.owner, window.close()) for window in self.windows]
        self.accounts.close_period()
        self.every_account_adds_up()
        self.every_energy_adds_up_or_is_unknown()
        self.check_rows_against_accounts()
        self.check_accounts_against_counter()

    def check_rows_against_accounts(self) -> None:
        rows: dict[tuple[str | None, str | None, str], list[float]] = defaultdict(list)
        for owner, energy in self.charged:
            for device, joules in energy.by_device_j.items():
                rows[owner, energy.account_id, device].append(joules)
        for owner, records in self.records.items():
            assert len({(r.account_id, r.device_id) for r in records}) == len(records)
            accounts = {(owner, r.account_id, r.device_id): r for r in records}
            unwritten = {key for key in rows if key[0] == owner} - accounts.keys()
            assert not unwritten, "a request's account was never written"
            for key, record in accounts.items():
                joules = rows.get(key, [])
                assert record.requests_n == len(joules)
                assert close_to(record.requests_j, sum(joules))

    def check_accounts_against_counter(self) -> None:
        total: dict[str, float] = defaultdict(float)
        for record in self.records["a"]:
            total[record.device_id] += record.counter_j
        for device, joules in self.meter.rose_j.items():
            assert close_to(total[device], joules)


AccountsMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAccountsAddUp = AccountsMachine.TestCase
