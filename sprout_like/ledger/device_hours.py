"""What the energy accounts of all processes come to, per host, device and hour. No database here."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

__all__ = ["AuditedAccount", "DeviceHour", "DeviceHours"]

_SUMS: Final = ("counter_j", "requests_j", "elsewhere_j", "overhead_j", "idle_j")


class AuditedAccount(Protocol):
    """What is read of an account; an `AccountRecord` has it all."""

    account_id: str
    device_id: str
    session_id: str
    started_utc: datetime
    ended_utc: datetime
    counter_j: float
    requests_j: float
    requests_n: int
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    host: str | None
    host_counter_id: str | None
    host_from_j: float | None
    host_to_j: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHour:
    """What one device drew in the account periods that began in one hour, in J, and where it went.

    Attributes:
        hour_utc: start of the hour.
        host: the machine; None where the accounts do not say.
        device_id: the device.
        sessions_n: how many processes' accounts these are.
        counter_j: by the accounts' counters. requests_j, elsewhere_j, overhead_j, idle_j: its parts.
        host_counter_j: how far the counter that all processes of the host read has come meanwhile; None where each
            reads its own part. What it has beyond `counter_j` is in accounts that are in another ledger, not closed
            yet, or lost.
    """

    hour_utc: datetime
    host: str | None = None
    device_id: str
    sessions_n: int = 1
    counter_j: float
    requests_j: float
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    host_counter_j: float | None = None


class DeviceHours:
    """Adds up accounts; each belongs to the hour in which it began."""

    def __init__(self) -> None:
        self._hours: dict[tuple[datetime, str | None, str], _Hour] = {}

    def add(self, row: AuditedAccount) -> None:
        """Count an account in."""
        hour_utc = row.started_utc.replace(minute=0, second=0, microsecond=0)
        self._hours.setdefault((hour_utc, row.host, row.device_id), _Hour()).add(row)

    def totals(self) -> tuple[DeviceHour, ...]:
        """All hours, by time."""
        by_time = sorted(self._hours.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2]))
        return tuple(hour.total(*key) for key, hour in by_time)


@dataclass(slots=True)
class _Hour:
    """The accounts of one device that began in one hour."""

    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0.0))
    sessions: set[str] = field(default_factory=set)
    stretches: defaultdict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: AuditedAccount) -> None:
        self.sessions.add(row.session_id)
        for name in _SUMS:
            self.sums[name] += getattr(row, name)
        if row.host_counter_id is not None and row.host_from_j is not None and row.host_to_j is not None:
            self.stretches[row.host_counter_id].append((row.host_from_j, row.host_to_j))

    def total(self, hour_utc: datetime, host: str | None, device_id: str) -> DeviceHour:
        covered_j = [_covered_j(stretches) for stretches in self.stretches.values()]
        return DeviceHour(
            hour_utc=hour_utc,
            host=host,
            device_id=device_id,
            sessions_n=len(self.sessions),
            host_counter_j=sum(covered_j) if covered_j else None,
            **self.sums,
        )


def _covered_j(stretches: list[tuple[float, float]]) -> float:
    """J of a counter that at least one of the stretches holds."""
    total_j, end_j = 0.0, -math.inf
    for from_j, to_j in sorted(stretches):
        total_j += max(to_j - max(from_j, end_j), 0.0)
        end_j = max(end_j, to_j)
    return total_j
