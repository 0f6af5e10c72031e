"""Ledgers of the same rows, written in another order, give the same report: no last digit of a sum decides anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import fsum
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.reports.build import Asked, build
from sprout_like.reports.formats.written import as_json
from sprout_like.reports.report import Report
from sprout_like.settings import Settings

Fill = Callable[..., Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def report_of(engine: Engine, **asked: Any) -> Report:
    return build(engine, Settings.load(policy="full"), Asked(**asked))


@pytest.fixture
def both_ways(tmp_path: Path, fill_ledger: Fill) -> Callable[[Sequence[object]], tuple[Report, Report]]:
    """The reports of ledgers that were written forwards and backwards."""

    def reports(rows: Sequence[object]) -> tuple[Report, Report]:
        one, other = (fill_ledger(str(tmp_path / f"{n}.sqlite"), of) for n, of in enumerate((rows, rows[::-1])))
        return report_of(one), report_of(other)

    return reports


def test_accounts_that_add_up_have_no_gap_whatever_order_they_are_added_up_in(both_ways: Any) -> None:
    rng = Random(1)
    rows = []
    for number in range(40):
        parts = [rng.lognormvariate(2, 1) for _ in range(4)]
        names = ("requests_j", "elsewhere_j", "overhead_j", "idle_j")
        rows.append(
            sample_account(
                account_id=f"{number:032x}",
                started_utc=NOON + timedelta(minutes=7 * number),
                ended_utc=NOON + timedelta(minutes=7 * number + 5),
                counter_j=fsum(parts),
                **dict(zip(names, parts, strict=True)),
            )
        )

    one, other = both_ways(rows)

    assert (one.devices[0].gap_j, one.devices[0].worst_hour_share) == (0.0, 0.0)
    assert as_json(one) == as_json(other)


def test_groups_of_equal_energy_stand_in_one_order(both_ways: Any) -> None:
    energies = (0.1, 0.2, 0.3)
    rows = [sample_request(n, directive="full", energy_j=energy_j) for n, energy_j in enumerate(energies)]
    rows += [sample_request(9 - n, directive="brief", energy_j=energy_j) for n, energy_j in enumerate(energies)]
    assert sum(energies) != sum(energies[::-1])

    one, other = both_ways(rows)

    assert [line.group for line in one.lines] == [line.group for line in other.lines] == [("brief",), ("full",)]


def test_idle_energy_that_no_line_can_bear_is_not_said_to_be_shared_out(tmp_path: Path, fill_ledger: Fill) -> None:
    unknown = sample_request(energy_j=None, gpu_j=None, cpu_j=None, dram_j=None, energy_method="none")
    engine = fill_ledger(str(tmp_path / "ledger.sqlite"), [unknown, sample_account()])

    report = report_of(engine, share_idle=True)

    assert (report.site.idle_j, report.site.idle_shared) == (70.0, False)
    assert [line.usage.idle_j for line in report.lines] == [None]
