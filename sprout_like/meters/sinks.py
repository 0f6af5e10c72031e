"""Who gets the account records: one record per ledger, device and period."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable

from sprout_like.meters.device_account import Period
from sprout_like.meters.meter import Device
from sprout_like.record import AccountRecord

__all__ = ["Addressed", "Sink", "Sinks", "deliver"]

_LOG = logging.getLogger("sprout_like")

Sink = Callable[[AccountRecord], None]
Addressed = tuple[Sink, AccountRecord]


class Sinks:
    """The sinks of each owner; an owner is a ledger, and of several sinks to it the first gets the records."""

    def __init__(self) -> None:
        self._by_owner: dict[Hashable, list[Sink]] = {}
        self._leaving: list[tuple[Hashable, Sink]] = []

    def attach(self, sink: Sink, owner: Hashable) -> None:
        """Add a sink."""
        self._by_owner.setdefault(owner, []).append(sink)

    def leave(self, owner: Hashable, sink: Sink | None) -> bool:
        """Mark a sink, or all of the owner's, as leaving with the next period; False where there is none."""
        leaving = [(owner, s) for s in self._by_owner.get(owner, ()) if sink is None or s == sink]
        self._leaving += leaving
        return bool(leaving)

    def forget_leaving(self) -> None:
        """Drop those that leave."""
        for owner, sink in self._leaving:
            sinks = self._by_owner.get(owner, [])
            if sink in sinks:
                sinks.remove(sink)
            if not sinks:
                self._by_owner.pop(owner, None)
        self._leaving = []

    def address(
        self, device: Device, period: Period, *, account_id: str, meter: str, session_id: str, host: str
    ) -> Iterable[Addressed]:
        """One record per owner, in which the other owners' requests are elsewhere."""
        span = period.span
        for owner, sinks in self._by_owner.items():
            requests_j, requests_n = period.requests.get(owner, (0.0, 0))
            yield (
                sinks[0],
                AccountRecord(
                    account_id=account_id,
                    device_id=device.id,
                    device_name=device.name,
                    component=device.component,
                    method=device.method,
                    meter=meter,
                    session_id=session_id,
                    started_utc=period.started_utc,
                    ended_utc=period.ended_utc,
                    counter_j=period.counter_j,
                    requests_j=requests_j,
                    requests_n=requests_n,
                    elsewhere_j=sum(j for other, (j, _) in period.requests.items() if other != owner)
                    + period.foreign_j,
                    overhead_j=period.overhead_j,
                    idle_j=period.idle_j,
                    host=host,
                    host_counter_id=span.counter_id if span is not None else None,
                    host_from_j=span.from_j if span is not None else None,
                    host_to_j=span.to_j if span is not None else None,
                ),
            )


def deliver(addressed: Iterable[Addressed]) -> None:
    """Hand records over; a sink that raises is logged, and the others still get theirs."""
    for sink, record in addressed:
        try:
            sink(record)
        except Exception:  # noqa: BLE001 - a sink's fault must not become that of the request which met the period's end
            _LOG.warning(
                "energy account %s of %s could not be written", record.account_id, record.device_id, exc_info=True
            )
