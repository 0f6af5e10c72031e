"""Where joules are shared out, and nowhere else: windows, idle, overhead, and the periods that go to the ledger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Final

from sprout_like.clock import Clock, SystemClock
from sprout_like.meters.counters import Counters
from sprout_like.meters.device_account import DeviceAccount
from sprout_like.meters.host import Host
from sprout_like.meters.meter import UNKNOWN, Device, Energy, Meter, require_known
from sprout_like.meters.sinks import Addressed, Sink, Sinks, deliver
from sprout_like.meters.window import Window, energy_of

__all__ = ["Accounts"]

# RAPL counters wrap after some minutes at the earliest; each must be read at least once in between.
_MAX_READING_AGE_S: Final = 30.0

_MAX_AGE_IN_COMPANY_S: Final = 1.0


class Accounts:
    """Shares out what a meter counts: every joule goes to one request, to overhead or to idle.

    At every boundary (a window opens, closes, pauses or resumes) the devices concerned are read, and what each drew
    since its last reading is divided equally among the windows active on it; without any, it was idle. So requests +
    overhead + idle = counter, however windows overlap. A device's account starts with its first use.

    After `period_s`, or when the UTC hour changes, and as soon as no window is open, the period is closed and one
    `AccountRecord` per device is handed to each attached sink. A period that is purely idle lasts to the hour's end.

    What a machine-wide counter counts is divided among the processes of the host first (`counters.py`), and this
    process' part among its windows.

    Thread-safe. A meter's fault makes energies unknown and is logged once per outage; it is never raised.

    Args:
        meter: what is read; not closed here.
        clock: time, for stamps and durations. period_s: length of an account period in s.
        new_id: makes ids of periods and sessions.
        host: where this process meets the others that read the same counters; None to go by what the driver tells.
    """

    def __init__(
        self,
        meter: Meter,
        *,
        clock: Clock | None = None,
        period_s: float = 300.0,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        host: Host | None = None,
    ) -> None:
        self._meter = meter
        self._clock = clock or SystemClock()
        self._period_s = period_s
        self._new_id = new_id
        self._devices = {device.id: device for device in meter.devices}
        self._host = host or Host()
        self._counters = Counters(meter, self._clock, self._host)
        self._sinks = Sinks()
        self.restart()

    @property
    def devices(self) -> tuple[Device, ...]:
        """The meter's devices."""
        return tuple(self._devices.values())

    @property
    def meter_name(self) -> str:
        """The meter's name, as stored in every row."""
        return self._meter.name

    @property
    def session_id(self) -> str:
        """The metering session, as stored in every account."""
        return self._session_id

    def open(self, device_ids: Collection[str], owner: Hashable = None, *, requests_n: int = 1) -> Window:
        """Start a request's window; without devices, its energy is unknown.

        Args:
            device_ids: what to charge.
            owner: the ledger that the request's row goes to, as given to `attach`.
            requests_n: how many requests run in it together, whose rows will share its energy.

        Raises:
            MeterError: the meter has no such device.
        """
        return self._open(device_ids, owner, to_overhead=False, requests_n=requests_n)

    @contextmanager
    def overhead(self, device_ids: Collection[str]) -> Iterator[None]:
        """Book the energy of a block (loading, warming up) as nobody's request.

        Raises:
            MeterError: the meter has no such device.
        """
        window = self._open(device_ids, None, to_overhead=True)
        try:
            yield
        finally:
            window.close()

    def tick(self) -> None:
        """Read what has not been read for 30 s and close the period if it is due. Call every 1 to 60 s.

        Where others use a device too, it is read every second, since the driver tells no more than that of who did.
        """
        with self._books():
            now_s = self._clock.monotonic_s()
            with self._boundary([i for i, a in self._accounts.items() if _is_old(a, now_s)]):
                pass

    def close_period(self) -> None:
        """Close the period now, or, while windows are open, as soon as the last of them closes."""
        with self._books():
            self._period_asked = True

    def attach(self, sink: Sink, owner: Hashable) -> None:
        """Hand the accounts of every period to a sink.

        Args:
            sink: takes one record per device; its faults are logged, not raised.
            owner: the ledger behind the sink. Of several sinks of one owner only the first gets the records, since a
                ledger is to hold each account once.
        """
        with self._books():
            self._sinks.attach(sink, owner)

    def detach(self, owner: Hashable, sink: Sink | None = None) -> None:
        """Close the period as `close_period` does, hand it over, and then forget the sink; None for all of the owner's.

        An owner that is not attached is ignored.
        """
        with self._books():
            self._period_asked = self._sinks.leave(owner, sink) or self._period_asked

    def restart(self) -> None:
        """Forget all readings and windows and begin a new session; for a forked child, whose meters start anew."""
        # Re-entrant, because the garbage collector may run somebody's `close` on a thread that is inside.
        self._lock = threading.RLock()
        self._inside = False
        self._host.restart()
        self._session_id = self._new_id()
        self._accounts: dict[str, DeviceAccount] = {}
        self._windows: set[Window] = set()
        self._begin_period()

    def _open(self, device_ids: Collection[str], owner: Hashable, *, to_overhead: bool, requests_n: int = 1) -> Window:
        ids = tuple(dict.fromkeys(device_ids))
        require_known(ids, self._devices, self._meter.name)
        with self._books():
            for device_id in ids:
                if device_id not in self._accounts:
                    self._accounts[device_id] = DeviceAccount(self._devices[device_id])
            with self._boundary(ids):
                stakes = {i: self._accounts[i].enter(to_overhead=to_overhead) for i in ids}
            window = Window(
                owner=owner,
                stakes=stakes,
                to_overhead=to_overhead,
                requests_n=requests_n,
                set_paused=self._set_paused,
                settle=self._settle,
            )
            self._windows.add(window)
            return window

    def _set_paused(self, window: Window, paused: bool) -> None:
        with self._books():
            if window not in self._windows:
                return
            window.pauses += 1 if paused else -1
            if window.pauses != (1 if paused else 0):
                window.pauses = max(window.pauses, 0)
                return
            with self._boundary(tuple(window.stakes)):
                for stake in window.stakes.values():
                    stake.to_overhead = paused
            self._time_pause(window)
            window.paused_at_s = self._clock.monotonic_s() if paused else None

    def _time_pause(self, window: Window) -> None:
        if window.paused_at_s is not None:
            window.paused_s += self._clock.monotonic_s() - window.paused_at_s

    def _settle(self, window: Window) -> Energy:
        with self._books():
            if window.energy is not None:
                return window.energy
            if window not in self._windows:
                window.energy = UNKNOWN  # opened before a restart
                return UNKNOWN
            with self._boundary(tuple(window.stakes)):
                self._time_pause(window)
                window.energy = energy_of(window, self._accounts, self._account_id)
                unknown = window.to_overhead or window.dropped or window.energy is UNKNOWN
                for device_id, stake in window.stakes.items():
                    self._accounts[device_id].leave(
                        stake, owner=window.owner, to_overhead=unknown, requests_n=window.requests_n
                    )
            self._windows.remove(window)
            return window.energy

    @contextmanager
    def _books(self) -> Iterator[None]:
        """Hold the lock; close the period before and after where it is due; write it when the lock is free again."""
        addressed: list[Addressed] = []
        try:
            with self._lock:
                outermost, self._inside = not self._inside, True
                try:
                    if outermost and self._is_due():
                        addressed += self._close_period()
                    yield
                    if outermost and self._is_due():
                        addressed += self._close_period()
                finally:
                    if outermost:
                        self._inside = False
        finally:
            deliver(addressed)

    def _boundary(self, device_ids: Collection[str]) -> AbstractContextManager[None]:
        return self._counters.boundary(self._accounts, device_ids, self._session_id)

    def _begin_period(self) -> None:
        self._account_id = self._new_id()
        # Counted on the monotonic clock, which is much cheaper to ask than the date, and is asked at every boundary.
        now_s = self._clock.monotonic_s()
        self._period_over_s = now_s + self._period_s
        self._hour_over_s = now_s + _left_of_hour_s(self._clock.now_utc())
        self._period_asked = False

    def _is_due(self) -> bool:
        if self._windows:
            return False  # an open window's energy is not booked yet
        now_s = self._clock.monotonic_s()
        if self._period_asked or now_s >= self._hour_over_s:
            return True
        return now_s >= self._period_over_s and any(account.busy for account in self._accounts.values())

    def _close_period(self) -> list[Addressed]:
        addressed: list[Addressed] = []
        with self._boundary(tuple(self._accounts)):
            for account in self._accounts.values():
                period = account.close_period()
                if period is not None:
                    addressed += self._sinks.address(
                        account.device,
                        period,
                        account_id=self._account_id,
                        meter=self._meter.name,
                        session_id=self._session_id,
                        host=self._host.name,
                    )
        self._sinks.forget_leaving()
        self._begin_period()
        return addressed


def _left_of_hour_s(utc: datetime) -> float:
    return 3600.0 - (utc.minute * 60 + utc.second + utc.microsecond / 1e6)


def _is_old(account: DeviceAccount, now_s: float) -> bool:
    allowed_s = _MAX_AGE_IN_COMPANY_S if account.company else _MAX_READING_AGE_S
    return account.last is None or now_s - account.last.at_s >= allowed_s
