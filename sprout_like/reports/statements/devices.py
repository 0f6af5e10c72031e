"""What the devices' counters say, and where it went. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Device"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device's counter over the closed account periods of the span, in J, and where it went.

    Attributes:
        device_id, device_name, component, method, meter: as in the ledger. host: the machine; None: not known.
        accounts: periods.
        counter_j: by the counter. requests_j, elsewhere_j, overhead_j, idle_j: its parts: requests of this ledger,
            those of others, loading and compiling, and the time between.
        gap_j: parts less counter. gap_share: of the counter; None where that is 0.
        worst_hour_utc, worst_hour_share: the hour in which it is largest; None where no hour has a counter above 0.
        host_counter_j: how far the counter has come that all processes of the host read; what it has beyond
            `counter_j` is in other ledgers, in accounts not closed yet, or lost. None where each reads its own.
    """

    device_id: str
    device_name: str
    component: str
    method: str
    meter: str
    accounts: int
    counter_j: float
    requests_j: float
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    gap_j: float
    gap_share: float | None
    worst_hour_utc: datetime | None
    worst_hour_share: float | None
    host: str | None = None
    host_counter_j: float | None = None
