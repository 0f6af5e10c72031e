"""Where joules are shared out, and nowhere else: windows, idle, overhead, and the periods that go to the ledger."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sprout_like.clock import Clock, SystemClock
from sprout_like.meters.device_account import DeviceAccount, Reading
from sprout_like.meters.meter import UNKNOWN, Device, Energy, Meter, require_known
from sprout_like.meters.sinks import Addressed, Sink, Sinks, deliver
from sprout_like.meters.window import Window, energy_of

__all__ = ["Accounts"]

_LOG = logging.getLogger("sprout_like")

# RAPL counters wrap after some minutes at the earliest; each must be read at least once in between.
_MAX_READING_AGE_S: Final = 30.0


class Accounts:
    """Shares out what a meter counts: every joule goes to one request, to overhead or to idle.

    At every boundary (a window opens, closes, pauses or resumes) the devices concerned are read, and what each drew
    since its last reading is divided equally among the windows active on it; without any, it was idle. So requests +
    overhead + idle = counter, however windows overlap. A device's account starts with its first use.

    After `period_s`, or when the UTC hour changes, and as soon as no window is open, the period is closed and one
    `AccountRecord` per device is handed to each attached sink. A period that is purely idle lasts to the hour's end.

    Thread-safe. A meter's fault makes energies unknown and is logged once per outage; it is never raised.

    Args:
        meter: what is read; not closed here.
        clock: time, for stamps and durations. period_s: length of an account period in s.
        new_id: makes ids of periods and sessions.
    """

    def __init__(
        self,
        meter: Meter,
        *,
        clock: Clock | None = None,
        period_s: float = 300.0,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._meter = meter
        self._clock = clock or SystemClock()
        self._period_s = period_s
        self._new_id = new_id
        self._devices = {device.id: device for device in meter.devices}
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
        """Read what has not been read for 30 s and close the period if it is due. Call every 1 to 60 s."""
        with self._books():
            oldest_s = self._clock.monotonic_s() - _MAX_READING_AGE_S
            self._read([i for i, a in self._accounts.items() if a.last is None or a.last.at_s <= oldest_s])

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
            self._read(ids)
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
            self._read(tuple(window.stakes))
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
            self._read(tuple(window.stakes))
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

    def _read(self, device_ids: Collection[str]) -> None:
        """Book what was drawn up to now; a fault voids the windows that are active on these devices."""
        if not device_ids:
            return
        accounts = [self._accounts[device_id] for device_id in device_ids]
        in_outage = any(account.failed for account in accounts)
        problem: object = None
        try:
            readings = self._meter.read_j(device_ids)
            energies_j = [float(readings[device_id]) for device_id in device_ids]
        except Exception as exc:  # noqa: BLE001 - a meter may be anyone's code; a generation must not depend on it
            problem = f"{type(exc).__qualname__}: {exc}"
        else:
            if not all(map(math.isfinite, energies_j)):
                problem = f"it read {energies_j} J"
        if problem is not None:
            for account in accounts:
                account.fail()
        else:
            at_s, at_utc = self._clock.monotonic_s(), self._clock.now_utc()
            fallen = [
                account.device.id
                for account, energy_j in zip(accounts, energies_j, strict=True)
                if not account.book(Reading(energy_j, at_s, at_utc))
            ]
            problem = f"the counter of {', '.join(fallen)} went back" if fallen else None
        if problem is not None and not in_outage:
            _LOG.warning("meter %s failed, energy is unknown until it answers again: %s", self._meter.name, problem)

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
        self._read(tuple(self._accounts))
        addressed: list[Addressed] = []
        for account in self._accounts.values():
            period = account.close_period()
            if period is not None:
                addressed += self._sinks.address(
                    account.device,
                    period,
                    account_id=self._account_id,
                    meter=self._meter.name,
                    session_id=self._session_id,
                )
        self._sinks.forget_leaving()
        self._begin_period()
        return addressed


def _left_of_hour_s(utc: datetime) -> float:
    return 3600.0 - (utc.minute * 60 + utc.second + utc.microsecond / 1e6)
