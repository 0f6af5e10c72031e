"""The outcome of a ledger check on a terminal and as JSON."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from sprout_like.ledger.audit import CheckReport, DeviceHour, Finding
from sprout_like.reports.checked import as_json, as_table

_GPU = "GPU-8f6e3c2a-1111-2222-3333-444455556666"
_HOUR = DeviceHour(
    hour_utc=datetime(2026, 3, 1, 12, tzinfo=UTC),
    device_id=_GPU,
    counter_j=1_234_567.0,
    requests_j=1_000_000.0,
    elsewhere_j=4_567.0,
    overhead_j=30_000.0,
    idle_j=200_000.0,
)
_GOOD = CheckReport(requests=1200, accounts=12, unmetered=0, open_requests=0, pending=0, hours=(_HOUR,), findings=())


def _printed(report: CheckReport) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80, emoji=False).print(as_table(report, 0.01), highlight=False)
    return stream.getvalue()


def _words(text: str) -> str:
    return " ".join(text.split())


def test_a_good_ledger() -> None:
    text = _words(_printed(_GOOD))

    assert f"{_GPU}, J per hour" in text
    assert "2026-03-01 12 1,234,567.0 1,000,000.0 4,567.0 30,000.0 200,000.0" in text
    assert "1,200 requests and 12 energy accounts read." in text
    assert "All sums hold: parts add up to the counters within 1.0 %" in text


def test_a_wrong_ledger_names_the_worst_and_claims_nothing_else() -> None:
    findings = (
        Finding("request: the carbon is not right", 3, "00ff", 0.125),
        Finding("account: negative", 1, "a", None),
    )
    text = _words(_printed(replace(_GOOD, findings=findings)))

    assert "WRONG: request: the carbon is not right: 3 (worst: 00ff, off by 12.5 %)." in text
    assert "WRONG: account: negative: 1 (worst: a)." in text
    assert "All sums hold" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unmetered": 7}, "7 requests have unknown energy."),
        ({"open_requests": 2}, "2 requests are booked in accounts not closed yet"),
        ({"pending": 5}, "5 rows still wait in the spool: `sprout-like ledger flush` sends them."),
        ({"pending": None}, "Rows that may wait in the spool are not counted."),
    ],
)
def test_what_could_not_be_checked_is_said(change: dict[str, int], said: str) -> None:
    assert said in _words(_printed(replace(_GOOD, **change)))
    assert said not in _words(_printed(_GOOD))


def test_machines_with_a_device_of_the_same_name_are_kept_apart_and_harmless() -> None:
    hours = tuple(replace(_HOUR, device_id="cpu:process", host=host) for host in ("node-1", "no\x1b[31mde"))
    text = _words(_printed(replace(_GOOD, hours=hours)))

    assert "cpu:process of node-1, J per hour" in text
    assert "cpu:process of no\ufffd[31mde, J per hour" in text


@pytest.mark.parametrize(
    ("sessions_n", "host_counter_j", "share"), [(2, 1_234_567.0, "100.0 %"), (1, 2_469_134.0, "50.0 %")]
)
def test_how_much_of_a_counter_that_all_read_is_here(sessions_n: int, host_counter_j: float, share: str) -> None:
    hour = replace(_HOUR, sessions_n=sessions_n, host_counter_j=host_counter_j)
    text = _words(_printed(replace(_GOOD, hours=(hour,))))

    assert f"The accounts here hold {share} of it (processes in an hour: at most {sessions_n})." in text
    assert ("The rest is in other ledgers" in text) == (share != "100.0 %")


def test_who_is_alone_on_a_counter_is_told_nothing_of_others() -> None:
    hour = replace(_HOUR, host_counter_j=_HOUR.counter_j)

    assert "All processes" not in _printed(replace(_GOOD, hours=(hour,)))


def test_fits_80_columns_and_shows_a_year_by_its_last_day() -> None:
    hours = tuple(
        replace(_HOUR, hour_utc=_HOUR.hour_utc + timedelta(hours=n), device_id=device, counter_j=9.9e9)
        for n in range(24 * 365)
        for device in (_GPU, "MIG-" + "0" * 36, "cpu-model:cpu")
    )
    lines = _printed(replace(_GOOD, hours=hours)).splitlines()

    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(" 202") for line in lines) == 3 * 24
    assert lines.count("8,736 earlier hours are checked too; --json lists them.") == 3


def test_json_has_every_hour_and_null_for_what_is_no_number() -> None:
    broken = replace(_HOUR, counter_j=math.nan)
    hours = tuple(replace(broken, hour_utc=_HOUR.hour_utc + timedelta(hours=n)) for n in range(100))

    data = json.loads(as_json(replace(_GOOD, hours=hours, findings=(Finding("x", 1, "y", None),))))

    assert (data["ok"], len(data["hours"]), data["hours"][0]["counter_j"]) == (False, 100, None)
    assert data["hours"][0]["hour_utc"] == "2026-03-01T12:00:00+00:00"
    assert data["findings"] == [{"problem": "x", "count": 1, "worst": "y", "worst_gap": None}]
