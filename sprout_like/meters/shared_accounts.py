"""One `Accounts` per counter and process: a counter belongs to the machine, whoever reads it.

Two wrapped models in one process that kept their own accounts would each charge the same joules. This registry is the
package's only process-wide state; see docs/decisions/0004-one-energy-account-per-device-and-process.md. What processes
tell each other is `host.py`'s part.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Final, Protocol
from weakref import WeakSet, WeakValueDictionary

from sprout_like.clock import Clock, SystemClock
from sprout_like.meters.accounts import Accounts
from sprout_like.meters.host import Host, open_host
from sprout_like.meters.meter import Meter
from sprout_like.meters.select import MeterOptions, open_meter

__all__ = ["AccountsRegistry", "MeterSettings", "meter_options", "open_accounts"]

_LOG = logging.getLogger("sprout_like")


class MeterSettings(Protocol):
    """The settings that matter here; `sprout_like.settings.Settings` has them."""

    @property
    def cpu_watts_per_core(self) -> float:
        """W per busy hardware thread."""
        ...

    @property
    def dram_watts_per_gib(self) -> float:
        """W per GiB resident."""
        ...

    @property
    def account_period_s(self) -> float:
        """Length of an account period in s."""
        ...


class AccountsRegistry:
    """Keeps which accounts are shared by whom.

    Meters that were named are shared by all who end up with the same meters and power model, for the life of the
    process. A meter that was given as an object is shared by all who give that object, for as long as somebody holds
    its accounts. The first caller's clock and period stand. A clock other than the system's (a test, a replay) tells
    another time, so a named meter is not shared with it, nor with other processes.

    Args:
        host: where this process meets the others of the machine; None to look for it when it is needed first.
    """

    def __init__(self, host: Host | None = None) -> None:
        self._lock = threading.Lock()
        self._host = host
        self._named: dict[tuple[str, MeterOptions], Accounts] = {}
        self._given: WeakValueDictionary[int, Accounts] = WeakValueDictionary()
        self._all: WeakSet[Accounts] = WeakSet()

    def accounts(self, meter: str | Meter, *, options: MeterOptions, clock: Clock, period_s: float) -> Accounts:
        """The accounts of a meter; made if it has none yet.

        Raises:
            SettingError: the meter cannot be had.
        """
        with self._lock:
            if not isinstance(meter, str):
                accounts = self._given.get(id(meter))
                if accounts is None:
                    opened = open_meter(meter)
                    host = self._met_host(opened) if isinstance(clock, SystemClock) else None
                    accounts = Accounts(opened, clock=clock, period_s=period_s, host=host)
                    self._given[id(meter)] = accounts  # the accounts hold the meter, so its id stays its own
            elif isinstance(clock, SystemClock):
                accounts = self._named_accounts(meter, options, clock, period_s)
            else:
                accounts = Accounts(open_meter(meter, options), clock=clock, period_s=period_s)
            self._all.add(accounts)
            return accounts

    def restart(self) -> None:
        """In a forked child: new locks, no windows, and accounts that begin with the child's own readings."""
        self._lock = threading.Lock()
        for accounts in self._all:
            accounts.restart()

    def _named_accounts(self, spec: str, options: MeterOptions, clock: Clock, period_s: float) -> Accounts:
        # `auto` and the name it stands for are the same meter, so the key is what the name came to.
        if (spec, options) in self._named:
            return self._named[spec, options]
        opened = open_meter(spec, options)
        accounts = self._named.get((opened.name, options))
        if accounts is None:
            self._warn_of_overlap(opened)
            accounts = Accounts(opened, clock=clock, period_s=period_s, host=self._met_host(opened))
            self._named[opened.name, options] = accounts
        else:
            opened.close()
        self._named[spec, options] = accounts
        return accounts

    def _met_host(self, meter: Meter) -> Host:
        if self._host is None:
            self._host = open_host()
        wide = [device.id for device in meter.devices if device.machine_wide]
        if wide and self._host.problem is not None:
            _LOG.warning(
                "processes that meter %s cannot tell each other so, and each goes by what the driver tells alone: %s",
                ", ".join(wide),
                self._host.problem,
            )
        return self._host

    def _warn_of_overlap(self, opened: Meter) -> None:
        ids = {device.id for device in opened.devices}
        for other in self._named.values():
            twice = ids & {device.id for device in other.devices}
            if twice:
                _LOG.warning(
                    "meters %s and %s of this process both read %s: what runs under both at the same time is charged "
                    "twice. Give every CarbonAware the same meter setting",
                    other.meter_name,
                    opened.name,
                    ", ".join(sorted(twice)),
                )
                return


_REGISTRY: Final = AccountsRegistry()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_REGISTRY.restart)


def meter_options(settings: MeterSettings) -> MeterOptions:
    """What the settings say of how meters are built."""
    return MeterOptions(watts_per_busy_core=settings.cpu_watts_per_core, dram_watts_per_gib=settings.dram_watts_per_gib)


def open_accounts(meter: str | Meter, *, settings: MeterSettings, clock: Clock | None = None) -> Accounts:
    """The accounts of a meter in this process, shared with everybody who uses it.

    Args:
        meter: a name as in `open_meter`, or a meter.
        settings: power model and account period.
        clock: None for the system's.

    Raises:
        SettingError: there is no such meter, or it cannot be set up on this machine.
    """
    return _REGISTRY.accounts(
        meter, options=meter_options(settings), clock=clock or SystemClock(), period_s=settings.account_period_s
    )
