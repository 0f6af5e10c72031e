"""A sound ledger passes, and every way of not adding up is found and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from sprout_like.carbon import operational_g
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.audit import Audit, CheckReport, DeviceHour
from sprout_like.ledger.check import check
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.meters.testing import ManualClock
from sprout_like.record import AccountRecord, RequestRecord

NOW = datetime(2026, 3, 2, tzinfo=UTC)

# The sample request uses three devices, so its account has three rows.
ACCOUNTS = (
    sample_account(),
    sample_account(device_id="rapl:package-0", requests_j=4.0, counter_j=89.0),
    sample_account(device_id="rapl:dram-0", requests_j=1.0, counter_j=86.0),
)

SETTLED = {
    "settled_g_per_kwh": 90.0,
    "settled_kind": "average",
    "settled_factors": "direct",
    "settled_status": "actual",
    "settled_source": "uk_national",
    "settled_operational_g": operational_g(20.0, 90.0, 1.2),
    "settled_utc": NOW,
}


def audit(accounts: Sequence[AccountRecord], requests: Sequence[RequestRecord]) -> CheckReport:
    audit = Audit(tolerance=0.01, now_utc=NOW)
    for account in accounts:
        audit.account(account)
    for request in requests:
        audit.request(request)
    return audit.report()


def test_a_sound_ledger_passes() -> None:
    report = audit(ACCOUNTS, [sample_request()])

    assert report.ok
    assert (report.requests, report.accounts, report.unmetered, report.open_requests) == (1, 3, 0, 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"operational_g": 1.0}, "the carbon is not energy x PUE x intensity"),
        ({"pue": 1.3}, "the carbon is not energy x PUE x intensity"),
        ({"operational_g": None}, "the carbon is NULL and need not be"),
        ({"intensity_g_per_kwh": None}, "the carbon is NULL and need not be, or the reverse"),
        ({"gpu_j": 14.0}, "its components do not add up"),
        ({"dram_j": None}, "its components do not add up"),
        ({"energy_by_device_j": {"GPU-0": 15.0, "rapl:package-0": 4.0, "rapl:dram-0": 1.1}}, "its devices do not add"),
        ({"energy_method": "none"}, "the energy is NULL and has a method, or the reverse"),
        ({"propensity": 0.0}, "the propensity is not in"),
        ({"propensity": 1.01}, "the propensity is not in"),
        ({"propensity": math.nan}, "the propensity is not in"),
        ({"gpu_j": -1.0, "cpu_j": 20.0}, "an energy is negative"),
        ({"started_utc": datetime(1970, 1, 1, tzinfo=UTC)}, "it began before 2020 or in the future"),
        ({"started_utc": NOW + timedelta(days=2)}, "it began before 2020 or in the future"),
        ({"account_id": None}, "it has an energy and no account"),
        ({**SETTLED, "settled_operational_g": 1.0}, "the settled carbon is not energy x PUE x intensity"),
        ({**SETTLED, "settled_g_per_kwh": 91.0}, "the settled carbon is not energy x PUE x intensity"),
        ({**SETTLED, "settled_operational_g": None}, "the settled carbon is NULL and need not be"),
        ({"settled_operational_g": 1.0}, "the settled carbon is NULL and need not be, or the reverse"),
        ({**SETTLED, "settled_source": None}, "it is settled and does not say by what"),
        ({**SETTLED, "settled_utc": None}, "it is settled and does not say by what"),
        ({"settled_status": "actual"}, "it is settled and does not say by what, or the reverse"),
        ({**SETTLED, "settled_kind": "marginal"}, "it is settled by another kind or other factors"),
        ({**SETTLED, "settled_factors": "lifecycle"}, "it is settled by another kind or other factors"),
    ],
)
def test_finds_what_is_wrong_with_a_request(change: dict[str, Any], problem: str) -> None:
    report = audit([], [sample_request(), sample_request(7, **change)])

    assert [finding.count for finding in report.findings] == [1]
    assert problem in report.findings[0].problem
    assert report.findings[0].worst == sample_request(7).request_id


def test_an_energy_that_is_not_a_number_is_found() -> None:
    report = audit([], [sample_request(energy_j=math.nan)])

    assert "request: an energy is negative or not a number" in {finding.problem for finding in report.findings}


def test_unknown_energy_is_no_fault() -> None:
    unknown = {"gpu_j": None, "cpu_j": None, "dram_j": None, "energy_by_device_j": {}, "account_id": None}
    request = sample_request(energy_j=None, operational_g=None, energy_method="none", **unknown)

    report = audit([], [request, sample_request(1, intensity_g_per_kwh=None, operational_g=None)])

    assert report.ok
    assert report.unmetered == 1


def test_a_settled_request_is_no_fault_whatever_was_logged() -> None:
    unknown = {"intensity_g_per_kwh": None, "intensity_kind": None, "intensity_factors": None, "operational_g": None}

    assert audit([], [sample_request(**SETTLED), sample_request(1, **unknown, **SETTLED)]).ok


def test_a_propensity_is_unknown_where_the_policy_failed() -> None:
    assert audit([], [sample_request(propensity=None)]).ok


KEPT = {
    "reuse": "answer",
    "energy_j": 0.0,
    "gpu_j": None,
    "cpu_j": None,
    "dram_j": None,
    "energy_by_device_j": {},
    "energy_method": "none",
    "account_id": None,
    "operational_g": 0.0,
}


def test_a_kept_answer_takes_no_energy_and_has_no_account() -> None:
    assert audit([], [sample_request(**KEPT)]).ok
    for wrong in ({"energy_j": None, "operational_g": None}, {"energy_method": "measured"}, {"account_id": "a" * 32}):
        assert not audit([], [sample_request(**{**KEPT, **wrong})]).ok


@pytest.mark.parametrize("part", ["counter_j", "requests_j", "overhead_j", "idle_j", "elsewhere_j"])
def test_finds_an_account_that_does_not_add_up(part: str) -> None:
    broken = sample_account(**{part: getattr(ACCOUNTS[0], part) + 2.0})
    problems = {finding.problem for finding in audit([broken, *ACCOUNTS[1:]], [sample_request()]).findings}

    assert "account: requests + elsewhere + overhead + idle is not the counter" in problems
    assert "hour: requests + elsewhere + overhead + idle is not the counter" in problems


def test_one_percent_is_within_tolerance() -> None:
    assert audit([sample_account(counter_j=100.9), *ACCOUNTS[1:]], [sample_request()]).ok


def test_finds_negative_idle_even_where_the_sum_is_right() -> None:
    report = audit([sample_account(idle_j=-10.0, overhead_j=90.0), *ACCOUNTS[1:]], [sample_request()])

    assert [finding.problem for finding in report.findings] == ["account: an energy is negative or not a number"]


@pytest.mark.parametrize("copies", [0, 2])
def test_finds_rows_that_are_lost_or_doubled(copies: int) -> None:
    requests = [sample_request(number) for number in range(copies)]
    problems = {finding.problem: finding for finding in audit(ACCOUNTS, requests).findings}

    assert problems["account: rows are missing or too many"].count == 3
    assert problems["account: its requests do not add up to what it booked for them"].worst_gap == 1.0


def test_finds_one_lost_row_among_many() -> None:
    """Its energy is within the tolerance of the sum, so that only the count tells."""
    account = sample_account(requests_j=15.0 * 1000, requests_n=1000, counter_j=15.0 * 1000 + 85.0)
    requests = [
        sample_request(n, energy_j=15.0, cpu_j=None, dram_j=None, energy_by_device_j={"GPU-0": 15.0},
                       operational_g=operational_g(15.0, 180.0, 1.2)) for n in range(999)
    ]  # fmt: skip

    assert [f.problem for f in audit([account], requests).findings] == ["account: rows are missing or too many"]


def test_finds_a_device_that_the_account_does_not_hold() -> None:
    problems = [finding.problem for finding in audit(ACCOUNTS[:2], [sample_request()]).findings]

    assert problems == ["account: requests used a device that it does not hold"]


def test_requests_of_an_open_account_are_counted_and_no_fault() -> None:
    report = audit([], [sample_request(n) for n in range(3)])

    assert report.ok
    assert report.open_requests == 3


def test_the_worst_is_named() -> None:
    requests = [sample_request(n, operational_g=g) for n, g in enumerate([0.0013, 0.5, 0.0014])]
    (finding,) = audit([], requests).findings

    assert (finding.count, finding.worst) == (3, requests[1].request_id)


def test_totals_per_device_and_hour() -> None:
    accounts = [
        sample_account(account_id="1"),
        sample_account(account_id="2", started_utc=datetime(2026, 3, 1, 12, 59, tzinfo=UTC)),
        sample_account(account_id="3", started_utc=datetime(2026, 3, 1, 13, tzinfo=UTC)),
    ]

    assert audit(accounts, []).hours == (
        DeviceHour(
            hour_utc=datetime(2026, 3, 1, 12, tzinfo=UTC), device_id="GPU-0",
            sessions_n=1, counter_j=200.0, requests_j=30.0, elsewhere_j=10.0, overhead_j=20.0, idle_j=140.0,
        ),
        DeviceHour(
            hour_utc=datetime(2026, 3, 1, 13, tzinfo=UTC), device_id="GPU-0",
            counter_j=100.0, requests_j=15.0, elsewhere_j=5.0, overhead_j=10.0, idle_j=70.0,
        ),
    )  # fmt: skip


def shared_account(session: str, from_j: float, to_j: float, **changes: Any) -> AccountRecord:
    """A process' account of a counter that others read too: idle alone, and the whole of its stretch."""
    parts = {"requests_j": 0.0, "requests_n": 0, "elsewhere_j": 0.0, "overhead_j": 0.0, "idle_j": to_j - from_j}
    place = {"host": "node-1", "host_counter_id": "c", "host_from_j": from_j, "host_to_j": to_j}
    return sample_account(
        account_id=f"{session}{from_j}", session_id=session, **{"counter_j": to_j - from_j, **parts, **place, **changes}
    )


def test_processes_that_share_a_counter_add_up_to_it() -> None:
    half = {"counter_j": 50.0, "idle_j": 50.0}
    report = audit([shared_account("a", 0, 100, **half), shared_account("b", 0, 100, **half)], [])

    assert report.ok
    (hour,) = report.hours
    assert (hour.host, hour.sessions_n, hour.counter_j, hour.host_counter_j) == ("node-1", 2, 100, 100)


def test_finds_two_processes_that_each_claim_the_whole_counter() -> None:
    (finding,) = audit([shared_account("a", 0, 100), shared_account("b", 0, 100)], []).findings

    assert finding.problem == "hour: processes claim more than the counter they all read"
    assert (finding.worst, finding.worst_gap) == ("node-1 GPU-0 2026-03-01T12Z", 1.0)


def test_finds_idle_energy_that_is_booked_twice() -> None:
    """As if each of two processes had its own requests, and both the idle energy."""
    parts = {"counter_j": 60.0, "overhead_j": 20.0, "idle_j": 40.0}
    (finding,) = audit([shared_account(s, 0, 80, **parts) for s in "ab"], []).findings

    assert finding.worst_gap == pytest.approx(40 / 80)


def test_what_other_ledgers_hold_is_no_fault_and_is_shown() -> None:
    (hour,) = audit([shared_account("a", 0, 100, counter_j=30.0, idle_j=30.0)], []).hours

    assert (hour.counter_j, hour.host_counter_j) == (30, 100)


@pytest.mark.parametrize("other", [{"host": "node-2"}, {"host_counter_id": "after a restart"}, {"device_id": "GPU-1"}])
def test_counters_are_not_mixed(other: dict[str, Any]) -> None:
    report = audit([shared_account("a", 0, 100), shared_account("b", 0, 100, **other)], [])

    assert report.ok
    assert sum(hour.host_counter_j or 0 for hour in report.hours) == 200


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"host_to_j": None}, "account: it is of a counter that several processes read and does not say where on it"),
        ({"host_counter_id": None}, "account: it is of a counter that several processes read and does not say where"),
        ({"host_to_j": -1.0}, "account: its stretch of the counter ends before it begins"),
        ({"ended_utc": datetime(2026, 3, 1, 11, tzinfo=UTC)}, "account: it ended before it began or in the future"),
        ({"ended_utc": NOW + timedelta(days=2)}, "account: it ended before it began or in the future"),
    ],
)
def test_finds_an_account_that_is_not_where_it_says(change: dict[str, Any], problem: str) -> None:
    assert problem in audit([shared_account("a", 0, 100, **change)], []).findings[0].problem


joules = st.floats(0, 1e9)


@given(
    st.lists(st.tuples(joules, joules, st.floats(1, 2), st.none() | st.floats(0, 1500)), max_size=5),
    joules,
    joules,
    joules,
)
def test_whatever_adds_up_passes(
    used: list[tuple[float, float, float, float | None]], elsewhere_j: float, overhead_j: float, idle_j: float
) -> None:
    requests = [
        sample_request(
            number,
            energy_j=gpu_j + cpu_j,
            gpu_j=gpu_j,
            cpu_j=cpu_j,
            dram_j=None,
            energy_by_device_j={"gpu": gpu_j, "cpu": cpu_j},
            pue=pue,
            intensity_g_per_kwh=intensity,
            operational_g=operational_g(gpu_j + cpu_j, intensity, pue),
        )
        for number, (gpu_j, cpu_j, pue, intensity) in enumerate(used)
    ]
    rest = {"elsewhere_j": elsewhere_j, "overhead_j": overhead_j, "idle_j": idle_j, "requests_n": len(used)}
    accounts = [
        sample_account(device_id=device, requests_j=total, counter_j=total + elsewhere_j + overhead_j + idle_j, **rest)
        for device, total in (("gpu", sum(u[0] for u in used)), ("cpu", sum(u[1] for u in used)))
    ]

    assert audit(accounts, requests).findings == ()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_reads_a_database(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    spec = tmp_path / "ledger.sqlite" if database == "sqlite" else request.getfixturevalue("postgres_url")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    for row in (sample_request(), *ACCOUNTS, sample_request(1, account_id="b" * 32, propensity=2.0)):
        ledger.append(row)
    ledger.close()
    engine = open_engine(spec)

    report = check(engine, pending=4, clock=ManualClock(NOW))

    assert (report.requests, report.accounts, report.open_requests, report.pending) == (2, 3, 1, 4)
    assert [finding.worst for finding in report.findings] == [sample_request(1).request_id]
    assert not report.ok
    assert check(engine, clock=ManualClock(datetime(2026, 2, 1, tzinfo=UTC))).findings != report.findings
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("gone", ["request_contexts", "request_periods"])
def test_finds_rows_of_which_a_part_is_missing(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, gone: str
) -> None:
    spec = tmp_path / "ledger.sqlite" if database == "sqlite" else request.getfixturevalue("postgres_url")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request())
    ledger.close()
    engine = open_engine(spec)
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {gone}"))

    report = check(engine, clock=ManualClock(NOW))

    assert [finding.problem for finding in report.findings] == [
        "request: the context or period that its row refers to is missing"
    ]
    engine.dispose()
