from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from sprout_like.clock import SystemClock
from sprout_like.meters import Accounts, AccountsRegistry, MeterOptions, open_accounts
from sprout_like.meters.testing import FakeMeter, FakeNvml, ManualClock


@dataclass(frozen=True)
class Power:
    """The settings that matter."""

    cpu_watts_per_core: float = 4.0
    dram_watts_per_gib: float = 0.4
    account_period_s: float = 300.0


@pytest.fixture
def registry() -> AccountsRegistry:
    return AccountsRegistry()


def accounts_of(registry: AccountsRegistry, meter, *, clock=None, watts: float = 4.0) -> Accounts:
    options = MeterOptions(watts_per_busy_core=watts, nvml=NO_GPU)
    return registry.accounts(meter, options=options, clock=clock or SystemClock(), period_s=300)


NO_GPU = FakeNvml(driver=False)


def test_who_names_the_same_meter_shares_its_accounts(registry: AccountsRegistry) -> None:
    assert accounts_of(registry, "cpu") is accounts_of(registry, "cpu")


def test_auto_shares_with_the_name_it_comes_to(registry: AccountsRegistry) -> None:
    auto = accounts_of(registry, "auto")
    assert accounts_of(registry, auto.meter_name) is auto


def test_another_power_model_is_another_meter_and_warned_of(
    registry: AccountsRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    first = accounts_of(registry, "cpu")
    with caplog.at_level(logging.WARNING, "sprout_like"):
        assert accounts_of(registry, "cpu", watts=9) is not first
    assert "charged twice" in caplog.text


def test_a_clock_of_one_s_own_is_not_shared(registry: AccountsRegistry) -> None:
    assert accounts_of(registry, "cpu", clock=ManualClock()) is not accounts_of(registry, "cpu")


def test_who_gives_the_same_meter_shares_its_accounts(registry: AccountsRegistry) -> None:
    meter = FakeMeter()
    shared = accounts_of(registry, meter)
    assert accounts_of(registry, meter) is shared
    assert accounts_of(registry, FakeMeter()) is not shared


def test_accounts_of_a_given_meter_live_as_long_as_somebody_holds_them(registry: AccountsRegistry) -> None:
    accounts_of(registry, FakeMeter())
    gc.collect()
    meter = FakeMeter()  # may well get the old one's address
    assert accounts_of(registry, meter).open(["fake:cpu"]).close().energy_j == 0


def test_a_restart_reaches_all_accounts(registry: AccountsRegistry) -> None:
    accounts = [accounts_of(registry, "cpu"), accounts_of(registry, FakeMeter(), clock=ManualClock())]
    sessions = [a.session_id for a in accounts]
    registry.restart()
    assert all(a.session_id != session for a, session in zip(accounts, sessions, strict=True))


def test_the_process_has_one_registry() -> None:
    meter = FakeMeter()
    accounts = open_accounts(meter, settings=Power())
    assert open_accounts(meter, settings=Power(account_period_s=1)) is accounts


FORK = """
import os, threading
from types import SimpleNamespace
from sprout_like.meters import CpuModelMeter, open_accounts

class Blocking(CpuModelMeter):
    def read_j(self, device_ids):
        if reading is not None:
            reading.set()
            release.wait()
        return super().read_j(device_ids)

reading = None
settings = SimpleNamespace(cpu_watts_per_core=4.0, dram_watts_per_gib=0.4, account_period_s=300.0)
accounts = open_accounts(Blocking(), settings=settings)
ids = [device.id for device in accounts.devices]
old = accounts.open(ids)
sum(range(2_000_000))  # so that the child's process clock starts below the parent's
reading, release = threading.Event(), threading.Event()
thread = threading.Thread(target=accounts.open, args=(ids,))
thread.start()
reading.wait()  # the lock is held by a thread that the child does not have
pid = os.fork()
if pid == 0:
    reading = None
    new = accounts.open(ids)
    energy = new.close().energy_j
    os._exit(0 if energy is not None and energy >= 0 and old.close().energy_j is None else 1)
release.set()
thread.join()
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_meters_itself_even_if_the_lock_was_held() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
