"""What the counters say at a boundary, booked into the devices' accounts; what was drawn by whom is `accounts.py`'s."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from sprout_like.clock import Clock
from sprout_like.errors import MeterError
from sprout_like.meters.device_account import DeviceAccount, Reading
from sprout_like.meters.host import Announcement, Host, Turn
from sprout_like.meters.meter import Meter, TellsUse

__all__ = ["Counters"]

_LOG = logging.getLogger("sprout_like")

_NOBODY_TO_TELL: Final = nullcontext()


class Counters:
    """Reads a meter. Its fault makes energies unknown and is logged once per outage; it is never raised.

    What a machine-wide counter counts is divided among the processes of the host (`host.py`); the others are this
    process' own.

    Args:
        meter: what is read.
        clock: when it was read.
        host: where this process meets the others that read the same counters.
    """

    def __init__(self, meter: Meter, clock: Clock, host: Host) -> None:
        self._meter = meter
        self._clock = clock
        self._host = host
        self._machine_wide = {device.id for device in meter.devices if device.machine_wide}
        self._use_of = meter.process_use if isinstance(meter, TellsUse) else None

    def boundary(
        self, accounts: Mapping[str, DeviceAccount], device_ids: Collection[str], session_id: str
    ) -> AbstractContextManager[None]:
        """Book what was drawn up to now, and tell the host's other processes how things stand after the block.

        Args:
            accounts: all of this process, by device.
            device_ids: what is read.
            session_id: the metering session, by which other processes know this one.
        """
        if not self._machine_wide.isdisjoint(device_ids):
            return self._turn(accounts, device_ids, session_id)
        if device_ids:
            self._read([accounts[device_id] for device_id in device_ids], None)
        return _NOBODY_TO_TELL

    @contextmanager
    def _turn(
        self, accounts: Mapping[str, DeviceAccount], device_ids: Collection[str], session_id: str
    ) -> Iterator[None]:
        wide = self._machine_wide.intersection(device_ids)
        turn = self._host.turn(session_id, wide)
        try:
            self._read([accounts[device_id] for device_id in device_ids], turn)
            yield
        finally:
            said = {i: Announcement(a.active, a.open, a.from_j) for i, a in accounts.items() if i in wide}
            try:
                turn.end(said, self._clock.monotonic_s())
            except MeterError as exc:
                for device_id in wide:
                    accounts[device_id].fail()
                _LOG.warning("meter %s failed, energy is unknown until it answers again: %s", self._meter.name, exc)

    def _read(self, accounts: Sequence[DeviceAccount], turn: Turn | None) -> None:
        """Read and book; a fault voids the windows that are active on these devices."""
        device_ids = [account.device.id for account in accounts]
        in_outage = any(account.failed for account in accounts)
        problem: object = None
        try:
            if turn is not None:
                turn.begin()
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
            reading = zip(accounts, energies_j, strict=True)
            fallen = [account.device.id for account, energy_j in reading if not self._book(account, energy_j, turn)]
            problem = f"the counter of {', '.join(fallen)} went back" if fallen else None
        if problem is not None and not in_outage:
            _LOG.warning("meter %s failed, energy is unknown until it answers again: %s", self._meter.name, problem)

    def _book(self, account: DeviceAccount, energy_j: float, turn: Turn | None) -> bool:
        at_s, at_utc = self._clock.monotonic_s(), self._clock.now_utc()
        if turn is None or account.device.id not in self._machine_wide:
            return account.book(Reading(energy_j, at_s, at_utc))
        return account.book_part(turn.part(account.device.id, energy_j, at_s, self._use_of), at_s, at_utc)
