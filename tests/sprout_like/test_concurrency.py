"""Many threads on one wrapper: every row is in the database exactly once, with the figures that were handed out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.concurrency import REQUESTS, THREADS, storm


def assert_right(outcome: dict[str, Any], rows: int) -> None:
    wrong = ("missing", "extra", "different", "wrong_propensities")
    assert {name: outcome[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert outcome["rows"] == rows
    assert outcome["sum_of_energy_j_differs_by"] == 0
    assert outcome["ledger_check_ok"]
    assert outcome["control_share"] == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / rows) ** 0.5)


def test_sqlite(tmp_path: Path) -> None:
    assert_right(storm(str(tmp_path / "l.sqlite"), spool=tmp_path / "s.sqlite"), THREADS * REQUESTS)


@pytest.mark.postgres
def test_postgresql(postgres_url: str, tmp_path: Path) -> None:
    assert_right(storm(postgres_url, spool=tmp_path / "s.sqlite"), THREADS * REQUESTS)
