"""The checks of a ledger: every account's sum, requests against accounts, each row's arithmetic. No database here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from sprout_like.carbon import operational_g
from sprout_like.ledger.device_hours import AuditedAccount, DeviceHour, DeviceHours

__all__ = ["Audit", "AuditedAccount", "AuditedRequest", "CheckReport", "DeviceHour", "Finding"]

_FLOOR_J: Final = 1e-6
"""Below this, a difference between two sums of energies is rounding."""

_ARITHMETIC: Final = 1e-9
"""Relative error that a value computed once and computed again may differ by."""

_EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_CLOCK_SKEW: Final = timedelta(days=1)


class AuditedRequest(Protocol):
    """What is read of a request; a `RequestRecord` has it all.

    Attributes:
        purpose: None where the row's context is missing, which no ledger of ours leaves out.
        pue: None where its period is missing.
    """

    request_id: str
    started_utc: datetime
    purpose: str | None
    propensity: float | None
    reuse: str | None
    intensity_g_per_kwh: float | None
    intensity_kind: str | None
    intensity_factors: str | None
    energy_j: float | None
    gpu_j: float | None
    cpu_j: float | None
    dram_j: float | None
    energy_by_device_j: Mapping[str, float]
    energy_method: str
    account_id: str | None
    pue: float | None
    operational_g: float | None
    settled_g_per_kwh: float | None
    settled_kind: str | None
    settled_factors: str | None
    settled_status: str | None
    settled_source: str | None
    settled_operational_g: float | None
    settled_utc: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: what is wrong, in a sentence without a full stop.
        count: how many rows or sums.
        worst: id of the one that is furthest off.
        worst_gap: how far, as a share of what was expected; None where there is no such figure.
    """

    problem: str
    count: int
    worst: str
    worst_gap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The outcome.

    Attributes:
        requests, accounts: rows read.
        unmetered: requests whose energy is unknown.
        open_requests: requests booked in accounts that are not closed: their process still runs, or was killed. Their
            sums cannot be checked, which is no fault.
        pending: rows still in the spool; None where nobody looked.
        hours: totals per device and hour.
        findings: what is wrong; empty where all adds up.
    """

    requests: int
    accounts: int
    unmetered: int
    open_requests: int
    pending: int | None
    hours: tuple[DeviceHour, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class _Sum:
    """What the requests of one account used on one device."""

    energy_j: float = 0.0
    requests_n: int = 0


class Audit:
    """The checks themselves: accounts first, then requests, one at a time; keeps sums, no rows.

    Args:
        tolerance: how far a sum of energies may be off, as a share.
        now_utc: stamps later than a day after this are wrong.
    """

    def __init__(self, *, tolerance: float, now_utc: datetime) -> None:
        self._tolerance = tolerance
        self._latest = now_utc + _CLOCK_SKEW
        self._requests = self._unmetered = self._open_requests = 0
        self._booked: dict[tuple[str, str], _Sum] = {}
        self._used: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
        self._closed: set[str] = set()
        self._hours = DeviceHours()
        self._findings: dict[str, Finding] = {}

    def account(self, row: AuditedAccount) -> None:
        """Check one device's part of one account."""
        name = f"{row.account_id}/{row.device_id}"
        parts = (row.requests_j, row.elsewhere_j, row.overhead_j, row.idle_j)
        self._compare(
            "account: requests + elsewhere + overhead + idle is not the counter", name, sum(parts), row.counter_j
        )
        if not all(value >= 0 for value in (*parts, row.counter_j)):
            self._find("account: an energy is negative or not a number", name)
        self._closed.add(row.account_id)
        self._booked[row.account_id, row.device_id] = _Sum(row.requests_j, row.requests_n)

        if not row.started_utc <= row.ended_utc <= self._latest:
            self._find("account: it ended before it began or in the future", name)
        span = (row.host_counter_id, row.host_from_j, row.host_to_j)
        if any((value is None) != (row.host_from_j is None) for value in span):
            self._find("account: it is of a counter that several processes read and does not say where on it", name)
        elif row.host_from_j is not None and not row.host_from_j <= (row.host_to_j or 0.0):
            self._find("account: its stretch of the counter ends before it begins", name)
        self._hours.add(row)

    def request(self, row: AuditedRequest) -> None:
        """Check one request."""
        self._requests += 1
        name = row.request_id
        if row.purpose is None or row.pue is None:
            self._find("request: the context or period that its row refers to is missing", name)
            return
        if row.propensity is not None and not 0 < row.propensity <= 1:
            self._find("request: the propensity is not in (0, 1]", name)
        if not _EARLIEST <= row.started_utc <= self._latest:
            self._find("request: it began before 2020 or in the future", name)
        logged_g = operational_g(row.energy_j, row.intensity_g_per_kwh, row.pue)
        self._check_carbon("carbon", name, row.operational_g, logged_g)
        settled_g = operational_g(row.energy_j, row.settled_g_per_kwh, row.pue)
        self._check_carbon("settled carbon", name, row.settled_operational_g, settled_g)
        self._check_settlement(row)
        if row.reuse == "answer":
            if (row.energy_j, row.energy_method, row.account_id) != (0, "none", None):
                self._find("request: a kept answer was given, which takes no energy, and yet it was charged", name)
            return
        if (row.energy_method == "none") != (row.energy_j is None):
            self._find("request: the energy is NULL and has a method, or the reverse", name)
        if row.energy_j is None:
            self._unmetered += 1
        else:
            self._check_energy(row, row.energy_j)

    def report(self, *, pending: int | None = None) -> CheckReport:
        """Compare the sums, and say how it went."""
        for key, booked in self._booked.items():
            used = self._used.get(key, _Sum())
            name = "/".join(key)
            self._compare(
                "account: its requests do not add up to what it booked for them", name, used.energy_j, booked.energy_j
            )
            if used.requests_n != booked.requests_n:
                self._find("account: rows are missing or too many", name, _gap(used.requests_n, booked.requests_n))
        for account_id, device_id in self._used.keys() - self._booked.keys():
            if account_id in self._closed:
                self._find("account: requests used a device that it does not hold", f"{account_id}/{device_id}")
        hours = self._hours.totals()
        for total in hours:
            self._check_hour(total)
        return CheckReport(
            requests=self._requests,
            accounts=len(self._booked),
            unmetered=self._unmetered,
            open_requests=self._open_requests,
            pending=pending,
            hours=hours,
            findings=tuple(self._findings.values()),
        )

    def _check_hour(self, total: DeviceHour) -> None:
        name = " ".join(filter(None, (total.host, total.device_id, f"{total.hour_utc:%Y-%m-%dT%HZ}")))
        parts_j = total.requests_j + total.elsewhere_j + total.overhead_j + total.idle_j
        self._compare("hour: requests + elsewhere + overhead + idle is not the counter", name, parts_j, total.counter_j)
        # Less is no fault: the rest may be in another ledger.
        if total.host_counter_j is not None and not total.counter_j <= total.host_counter_j:
            self._compare(
                "hour: processes claim more than the counter they all read", name, total.counter_j, total.host_counter_j
            )

    def _check_carbon(self, what: str, name: str, stored_g: float | None, expected_g: float | None) -> None:
        if expected_g is None or stored_g is None:
            if expected_g is not stored_g:
                self._find(f"request: the {what} is NULL and need not be, or the reverse", name)
        elif not math.isclose(stored_g, expected_g, rel_tol=_ARITHMETIC, abs_tol=0.0):
            gap = _gap(stored_g, expected_g)
            self._find(f"request: the {what} is not energy x PUE x intensity", name, gap)

    def _check_settlement(self, row: AuditedRequest) -> None:
        provenance = (row.settled_kind, row.settled_factors, row.settled_status, row.settled_source, row.settled_utc)
        if any((value is None) != (row.settled_g_per_kwh is None) for value in provenance):
            self._find("request: it is settled and does not say by what, or the reverse", row.request_id)
        logged_and_settled = (row.intensity_kind, row.settled_kind), (row.intensity_factors, row.settled_factors)
        if any(None not in pair and pair[0] != pair[1] for pair in logged_and_settled):
            self._find("request: it is settled by another kind or other factors than were logged", row.request_id)

    def _check_energy(self, row: AuditedRequest, energy_j: float) -> None:
        name = row.request_id
        parts = [part for part in (row.gpu_j, row.cpu_j, row.dram_j) if part is not None]
        if not all(value >= 0 for value in (energy_j, *parts, *row.energy_by_device_j.values())):
            self._find("request: an energy is negative or not a number", name)
        # An item of a job may have run on a machine that keeps no account here, and whose devices nobody may know.
        elsewhere = row.purpose == "job" and row.account_id is None
        for what, values in (("components", parts), ("devices", row.energy_by_device_j.values())):
            if elsewhere and not values:
                continue
            if not math.isclose(sum(values), energy_j, rel_tol=_ARITHMETIC, abs_tol=_FLOOR_J):
                self._find(f"request: its {what} do not add up to its energy", name, _gap(sum(values), energy_j))
        if elsewhere:
            return
        if row.account_id is None:
            self._find("request: it has an energy and no account", name)
            return
        self._open_requests += row.account_id not in self._closed
        for device_id, device_j in row.energy_by_device_j.items():
            used = self._used[row.account_id, device_id]
            used.energy_j += device_j
            used.requests_n += 1

    def _compare(self, problem: str, name: str, actual_j: float, expected_j: float) -> None:
        # Written so that a NaN on either side is a finding.
        if not abs(actual_j - expected_j) <= max(self._tolerance * abs(expected_j), _FLOOR_J):
            self._find(problem, name, _gap(actual_j, expected_j))

    def _find(self, problem: str, name: str, gap: float | None = None) -> None:
        earlier = self._findings.get(problem)
        if earlier is None:
            self._findings[problem] = Finding(problem, 1, name, gap)
        elif (gap or 0.0) > (earlier.worst_gap or 0.0):
            self._findings[problem] = Finding(problem, earlier.count + 1, name, gap)
        else:
            self._findings[problem] = Finding(problem, earlier.count + 1, earlier.worst, earlier.worst_gap)


def _gap(actual: float, expected: float) -> float | None:
    """Difference as a share of what was expected; None where that is 0 or either is not a number."""
    gap = abs(actual - expected) / abs(expected) if expected else math.nan
    return None if math.isnan(gap) else gap
