"""Accounts over two devices, with everything that moves in reach."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from sprout_like.meters import Accounts, Device
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.record import AccountRecord


class Bench:
    """A clock, a meter on it, accounts over the meter, and a ledger's sink."""

    def __init__(self, *devices: Device) -> None:
        self.clock = ManualClock()
        self.meter = FakeMeter(devices or (fake_device("gpu", component="gpu"), fake_device("cpu")), clock=self.clock)
        ids = itertools.count(1)
        self.accounts = Accounts(self.meter, clock=self.clock, new_id=lambda: f"id{next(ids)}")
        self.records: list[AccountRecord] = []
        self.accounts.attach(self.records.append, owner="ledger")

    def draw(self, gpu: float = 0.0, cpu: float = 0.0, seconds: float = 1.0) -> None:
        """Let time pass and energy be drawn."""
        self.clock.advance(seconds)
        for device_id, joules in (("gpu", gpu), ("cpu", cpu)):
            if joules:
                self.meter.draw(device_id, joules)

    def closed(self) -> dict[str, AccountRecord]:
        """The records of the period, ended now, by device."""
        self.accounts.close_period()
        written = {record.device_id: record for record in self.records}
        self.records.clear()
        return written

    @staticmethod
    def parts_of(record: AccountRecord) -> tuple[float, float, float, float]:
        """Requests, elsewhere, overhead, idle."""
        return record.requests_j, record.elsewhere_j, record.overhead_j, record.idle_j


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
