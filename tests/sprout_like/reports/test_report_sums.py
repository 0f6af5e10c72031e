"""Manifests of spans with very many requests: sums by day instead of hashes, and what they find."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from sprout_like.errors import ReportError
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.reports import file as report_file
from sprout_like.reports.build import Asked, build
from sprout_like.reports.manifest import manifest_file
from sprout_like.reports.verify import kept, verify
from sprout_like.settings import Settings
from tests.sprout_like.ledger.rewriting import rewrite_requests

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARCH = Asked(since_utc=datetime(2026, 3, 1, tzinfo=UTC), until_utc=datetime(2026, 4, 1, tzinfo=UTC), period="2026-03")
ROWS = (
    *(sample_request(number, energy_j=0.1 * number) for number in range(1, 4)),
    sample_request(4, started_utc=NOON + timedelta(days=1), new_tokens=None),
    sample_account(),
)


@pytest.fixture
def report(filled: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A report of more requests than are hashed."""
    monkeypatch.setattr(report_file, "MOST_HASHED", 3)
    engine = filled(ROWS)
    settings = Settings.load(policy="full")

    def write(**how: Any) -> Callable[[], Any]:
        path = tmp_path / "march.json"
        report_file.write(build(engine, settings, MARCH), engine, settings, MARCH, file=path, output="json", **how)
        return lambda: verify(kept(path), engine, settings)

    return engine, write, tmp_path / "march.json"


def test_very_many_requests_are_added_up_by_day_and_the_check_says_so(report: Any) -> None:
    engine, write, path = report
    verified = write()
    roll_up(engine, now_utc=NOON + timedelta(days=9))

    outcome = verified()

    data = json.loads(manifest_file(path).read_text())
    assert data["sums"]["requests"]["2026-03-01"]["rows"] == 3
    assert data["sums"]["requests"]["2026-03-01"]["energy_j"] == pytest.approx(0.6)
    assert data["sums"]["requests"]["2026-03-02"]["new_tokens"] is None
    assert data["sums"]["energy_accounts"]["2026-03-01"]["counter_j"] == 100.0
    assert not {"requests", "energy_accounts"} & {*data["columns"], *data["rows"]}
    assert outcome.ok
    assert "same 5 rows of 2 days" in next(outcome.lines())
    assert "compared by their sums of each day, not one by one" in list(outcome.lines())[1]


def test_a_figure_that_was_changed_is_found_by_its_day_and_name(report: Any) -> None:
    engine, write, _ = report
    verified = write()
    with engine.begin() as connection:
        rewrite_requests(connection, [f"{2:032x}"], new_tokens=33)

    assert verified().differences == ("requests, 2026-03-01: new_tokens 96 then, 97 now",)


def test_requests_that_came_and_accounts_that_were_changed_are_found(report: Any) -> None:
    engine, write, _ = report
    verified = write()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE energy_accounts SET idle_j = idle_j + 1")
        rewrite_requests(connection, [f"{4:032x}"], started_utc=NOON)

    assert verified().differences == (
        "requests, 2026-03-01: gained 1 rows (3 then, 4 now)",
        "requests, 2026-03-02: lost 1 rows (1 then, 0 now)",
        "energy_accounts, 2026-03-01: idle_j 70 then, 71 now",
    )


def test_what_the_sums_do_not_show_is_found_in_the_bytes(report: Any) -> None:
    engine, write, _ = report
    verified = write()
    with engine.begin() as connection:
        rewrite_requests(connection, [f"{2:032x}"], directive="full")

    assert verified().differences == (
        "the report made again from the same rows, settings and versions has other bytes",
    )


def test_every_row_is_hashed_on_request(report: Any) -> None:
    _, write, path = report
    verified = write(every_row=True)

    data = json.loads(manifest_file(path).read_text())
    assert (data["sums"], data["rows"]["requests"]["2026-03-01"]["rows"]) == ({}, 3)
    assert len(list(verified().lines())) == 1


@pytest.mark.parametrize(
    "sums", [{}, {"requests": {}}, {"requests": {"2026-03-01": {"rows": "3"}}, "energy_accounts": {}}, [1]], ids=str
)
def test_a_manifest_whose_sums_are_none_is_none(report: Any, sums: Any) -> None:
    _, write, path = report
    verified = write()
    manifest = manifest_file(path)
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(data | {"sums": sums}))

    with pytest.raises(ReportError, match="this is no manifest of a report"):
        verified()
